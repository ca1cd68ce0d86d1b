// Layers that treat each value by itself, or each row: in the place of their input where nothing else reads it.
#include "list.hpp"

namespace discrimen::layers {

void Activate(Planner& planner) {
    planner.expect(1, 1, {});
    const Activation activation = planner.activation(0);
    if (activation == Activation::linear) return planner.alias(planner.in());
    planner.give_in_place();
    planner.add(Kind::activate).activation = activation;
}

namespace {

void expect_several(const Planner& planner) {
    if (planner.n_inputs() < 2) throw Error("expected 2 inputs or more, got " + number(planner.n_inputs()));
    planner.expect(planner.n_inputs(), 0, {});
}

}  // namespace

// Two at a time: the sum so far and the next.
void Add(Planner& planner) {
    expect_several(planner);
    for (std::size_t i = 1; i < planner.n_inputs(); ++i)
        if (!(planner.in(i) == planner.in(0)))
            throw Error("its inputs have the shapes " + text_of(planner.in(0)) + " and " + text_of(planner.in(i)));
    planner.give_in_place();
    planner.add(Kind::add, {0, 1});
    for (std::size_t i = 2; i < planner.n_inputs(); ++i) {
        Operation& op = planner.add(Kind::add, {0, i});
        op.in[0] = op.out;
    }
}

// A row of channels is spread over the steps of the others.
void Multiply(Planner& planner) {
    expect_several(planner);
    std::size_t full = 0;
    while (full + 1 < planner.n_inputs() && !planner.in(full).has_steps) ++full;
    if (!planner.in(full).has_steps) full = 0;
    const Shape shape = planner.in(full);
    for (std::size_t i = 0; i < planner.n_inputs(); ++i)
        if (!(planner.in(i) == shape) && (planner.in(i).has_steps || planner.in(i).channels != shape.channels))
            throw Error("its inputs have the shapes " + text_of(shape) + " and " + text_of(planner.in(i)));
    planner.give_in_place(full);
    bool first = true;
    for (std::size_t i = 0; i < planner.n_inputs(); ++i) {
        if (i == full) continue;
        Operation& op = planner.add(planner.in(i) == shape ? Kind::multiply : Kind::multiply_rows, {full, i});
        if (!first) op.in[0] = op.out;
        first = false;
    }
}

// One slope, one for each channel, or one for each value: `length` says which by its number of rows, 0 for one slope.
void Prelu(Planner& planner) {
    const Shape& in = planner.in();
    const bool each = planner.n_arrays() == 1 && planner.shape_of(0).size() == 2;
    planner.expect(1, 0, {each ? std::size_t(2) : 1});
    const bool single = !each && planner.shape_of(0)[0] == 1;
    const float* slopes = each     ? planner.values_of(0, {in.steps, in.channels})
                          : single ? planner.values_of(0, {1})
                                   : planner.values_of(0, {in.channels});
    const float* kept = planner.padded_copy(slopes, each ? in.count() : single ? 1 : in.channels);
    planner.give_in_place();
    Operation& op = planner.add(Kind::prelu);
    op.weights = kept;
    op.length = each ? op.steps_in : single ? 0 : 1;
}

void LayerNorm(Planner& planner) {
    planner.expect(1, 0, {1, 1, 1});
    const std::size_t channels = planner.in().channels;
    const float* gamma = planner.padded_copy(planner.values_of(0, {channels}), channels);
    const float* beta = planner.padded_copy(planner.values_of(1, {channels}), channels);
    const float epsilon = *planner.values_of(2, {1});
    if (!(epsilon > 0)) throw Error("epsilon must be positive, got " + std::to_string(epsilon));
    planner.give_in_place();
    Operation& op = planner.add(Kind::layer_norm);
    op.weights = gamma;
    op.bias = beta;
    op.epsilon = epsilon;
}

void Sample(Planner& planner) {
    planner.expect(2, 0, {});
    if (!(planner.in(0) == planner.in(1)))
        throw Error("mean and variance have the shapes " + text_of(planner.in(0)) + " and " + text_of(planner.in(1)));
    planner.give_in_place();
    planner.add(Kind::sample, {0, 1});
}

}  // namespace discrimen::layers
