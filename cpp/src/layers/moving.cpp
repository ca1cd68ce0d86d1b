// Layers that move values or only change their shape.
#include "list.hpp"

namespace discrimen::layers {

// Values keep their place in memory: only the shape changes.
void Flatten(Planner& planner) {
    planner.expect(1, 0, {});
    planner.alias({1, planner.in().count(), false});
}

void Reshape(Planner& planner) {
    planner.expect(1, 2, {});
    const auto steps = std::size_t(planner.option(0, 0, most_option)),
               channels = std::size_t(planner.option(1, 1, most_option));
    const Shape shape = {steps > 0 ? steps : 1, channels, steps > 0};
    if (shape.count() != planner.in().count())
        throw Error("cannot make " + text_of(shape) + " of " + number(planner.in().count()) + " values");
    planner.alias(shape);
}

void Permute(Planner& planner) {
    planner.expect(1, 0, {});
    const Shape& in = planner.in_steps();
    const Shape out = {in.channels, in.steps, true};
    if (in.steps == 1 || in.channels == 1) return planner.alias(out);
    planner.give(out);
    planner.add(Kind::permute);
}

void UpSampling1D(Planner& planner) {
    planner.expect(1, 1, {});
    const std::int32_t times = planner.option(0, 1, most_option);
    planner.give({planner.in_steps().steps * std::size_t(times), planner.in().channels, true});
    planner.add(Kind::repeat).length = times;
}

namespace {

// Steps `first` and after of an input, as many as `count`, to step `to_step` of the value.
Operation& place(Planner& planner, std::size_t input, std::size_t first, std::size_t count, std::size_t to_step) {
    Operation& op = planner.add(Kind::place, {input});
    op.first = std::int32_t(first);
    op.count = std::int32_t(count);
    op.to_step = std::int32_t(to_step);
    return op;
}

void zeros(Planner& planner, std::size_t to_step, std::size_t count) {
    if (count == 0) return;
    Operation& op = planner.add(Kind::zeros);
    op.count = std::int32_t(count);
    op.to_step = std::int32_t(to_step);
}

}  // namespace

void Concatenate(Planner& planner) {
    if (planner.n_inputs() < 2) throw Error("expected 2 inputs or more, got " + number(planner.n_inputs()));
    planner.expect(planner.n_inputs(), 1, {});
    const bool along_steps = planner.option(0, 0, 1) == 1;
    const Shape& first = along_steps ? planner.in_steps() : planner.in();
    std::size_t total = 0;
    for (std::size_t i = 0; i < planner.n_inputs(); ++i) {
        const Shape& in = planner.in(i);
        const bool fits =
            in.has_steps == first.has_steps && (along_steps ? in.channels == first.channels : in.steps == first.steps);
        if (!fits) throw Error("its inputs have the shapes " + text_of(first) + " and " + text_of(in));
        total += along_steps ? in.steps : in.channels;
    }
    planner.give(along_steps ? Shape{total, first.channels, true} : Shape{first.steps, total, first.has_steps});
    std::size_t at = 0;
    for (std::size_t i = 0; i < planner.n_inputs(); ++i) {
        const Shape in = planner.in(i);
        Operation& op = place(planner, i, 0, in.steps, along_steps ? at : 0);
        if (!along_steps) op.to_channel = std::int32_t(at);
        at += along_steps ? in.steps : in.channels;
    }
}

void ZeroPadding1D(Planner& planner) {
    planner.expect(1, 2, {});
    const auto front = std::size_t(planner.option(0, 0, most_option)),
               back = std::size_t(planner.option(1, 0, most_option));
    const std::size_t steps = planner.in_steps().steps;
    planner.give({front + steps + back, planner.in().channels, true});
    zeros(planner, 0, front);
    place(planner, 0, 0, steps, front);
    zeros(planner, front + steps, back);
}

void Cropping1D(Planner& planner) {
    planner.expect(1, 2, {});
    const auto front = std::size_t(planner.option(0, 0, most_option)),
               back = std::size_t(planner.option(1, 0, most_option));
    const std::size_t steps = planner.in_steps().steps;
    if (front + back >= steps) throw Error("it takes " + number(front + back) + " of " + number(steps) + " steps away");
    planner.give({steps - front - back, planner.in().channels, true});
    place(planner, 0, front, steps - front - back, 0);
}

void Reverse(Planner& planner) {
    planner.expect(1, 0, {});
    const std::size_t steps = planner.in_steps().steps;
    planner.give(planner.in());
    place(planner, 0, steps - 1, steps, 0).direction = -1;
}

void Neighbours(Planner& planner) {
    constexpr std::size_t n_around = 9;
    planner.expect(1, 3, {});
    const std::int32_t sectors = planner.option(0, 1, most_option), rings = planner.option(1, 1, most_option);
    const std::int32_t last = planner.option(2, 1, most_option);
    const Shape& in = planner.in_steps();
    const std::size_t segments = std::size_t(sectors) * std::size_t(rings);
    if (in.steps < segments)
        throw Error("it wants " + number(segments) + " segments or more channels, and gets " + number(in.steps));
    if (in.channels < std::size_t(last))
        throw Error("it looks at the last " + number(std::size_t(last)) + " samples, and gets " + number(in.channels));
    planner.give({1, (n_around + in.steps - segments) * in.channels + segments, false});
    Operation& op = planner.add(Kind::neighbours);
    op.groups = sectors;
    op.length = rings;
    op.count = last;
}

}  // namespace discrimen::layers
