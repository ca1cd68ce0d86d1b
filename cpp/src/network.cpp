#include "network.hpp"

#include <algorithm>

namespace discrimen {
namespace {

// A softmax runs over the last axis, so the value must have that axis too.
void check_value(const FrozenOutput& output, const Shape& value) {
    const Output& o = output.promised;
    if (value.count() != o.n_values || (Activation(output.activation) == Activation::softmax && value.steps != 1))
        throw Error("output '" + o.name + "' promises " + number(o.n_values) + " values, its value has the shape " +
                    text_of(value));
}

}  // namespace

Network::Network(const FrozenFile& file) : planner_(file) {
    plan_preparation(file);
    for (std::size_t i = 0; i < file.layers.size(); ++i) planner_.add_layer(i);
    // Pulses that are prepared one by one wait there to be turned over.
    planner_.scratch(padded(std::size_t(file.input.window_length) * channels_.size()));
    planner_.finish();
    plan_outputs(file);
    plan_.operations = planner_.operations().data();
    plan_.n_operations = std::int32_t(planner_.operations().size());
    plan_.input = planner_.place_of_value(0);
    plan_.first_can_scale = planner_.first_can_scale();
    plan_.values = planner_.buffer_floats();
    plan_.scratch = planner_.scratch_floats();
    plan_.domain = file.domain;
}

void Network::plan_preparation(const FrozenFile& file) {
    const FrozenInput& input = file.input;
    PreparationPlan& plan = plan_.preparation;
    std::int32_t shortest = 1;
    for (const FrozenChannel& channel : input.channels) {
        channels_.push_back(
            {float(channel.polarity), channel.baseline_start, channel.baseline_stop, channel.window_start});
        shortest =
            std::max({shortest, channel.baseline_stop, input.aligned ? 1 : channel.window_start + input.window_length});
    }
    plan.channels = channels_.data();
    plan.n_channels = std::int32_t(channels_.size());
    plan.window_length = input.window_length;
    plan.reference = input.reference;
    plan.aligned = input.aligned != 0;
    plan.interpolate = input.interpolate != 0;
    plan.masked = input.masked != 0;
    plan.position = input.position;
    plan.fraction = float(input.fraction);
    plan.scale = Scale(input.scale);
    plan.shortest_record = shortest;
    if (std::size_t(shortest) > file.golden.n_samples)
        throw Error("golden pulses of " + number(file.golden.n_samples) + " samples are too short: the input takes " +
                    number(std::size_t(shortest)));
}

void Network::plan_outputs(const FrozenFile& file) {
    for (const FrozenOutput& output : file.outputs) {
        const Shape& shape = planner_.shape_of_value(output.value);
        check_value(output, shape);
        outputs_.push_back({planner_.place_of_value(output.value), std::int32_t(shape.steps),
                            std::int32_t(shape.channels), std::int32_t(shape.count()), Activation(output.activation),
                            planner_.read_last(output.value)});
        // A copy of it is made where it may not be changed.
        if (!outputs_.back().in_place) planner_.scratch(shape.count());
    }
    plan_.outputs = outputs_.data();
    plan_.n_outputs = std::int32_t(outputs_.size());
}

std::size_t Network::workspace_floats(int block) const {
    // Behind the values: start, divisor and baselines of the pulses of a block, as doubles.
    const std::size_t origins = 2 * (channels_.size() + 2);
    return (plan_.values + plan_.scratch + origins) * std::size_t(block);
}

}  // namespace discrimen
