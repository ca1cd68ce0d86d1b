// Dense, Conv1D, Conv1DTranspose and pools.
#include "convolution.hpp"

#include <algorithm>

#include "list.hpp"

namespace discrimen {
namespace {

constexpr std::size_t most_reach = 1 << 30;  // so that places of taps fit into 32 bits

// Copies (row, column) to rows of `pitch` floats.
void lay_out(const float* from, std::size_t rows, std::size_t columns, std::size_t pitch, float* to) {
    for (std::size_t row = 0; row < rows; ++row) std::copy_n(from + row * columns, columns, to + row * pitch);
}

}  // namespace

Visits visits(std::size_t steps, std::size_t size, std::size_t stride, std::size_t dilation, Padding padding) {
    const std::size_t reach = (size - 1) * dilation + 1;
    if ((padding == Padding::valid && reach > steps) || reach > most_reach)
        throw Error("it reaches over " + number(reach) + " steps, " + number(steps) + " are there");
    if (padding == Padding::valid) return {(steps - reach) / stride + 1, 0};
    const std::size_t out = (steps + stride - 1) / stride, span = (out - 1) * stride + reach;
    if (padding == Padding::causal) return {out, reach - 1};
    return {out, span > steps ? (span - steps) / 2 : 0};
}

namespace layers {

// Behind the weights of the inputs lies their sum: the weight of what is to be added to every input.
void Dense(Planner& planner) {
    planner.expect(1, 1, {2, 1});
    const std::size_t inputs = planner.in().channels, outputs = planner.shape_of(0)[1], pitch = padded(outputs);
    const float* kernel = planner.values_of(0, {inputs, outputs});
    const float* bias = planner.padded_copy(planner.values_of(1, {outputs}), outputs);
    float* weights = planner.weights((inputs + 1) * pitch);
    lay_out(kernel, inputs, outputs, pitch, weights);
    for (std::size_t output = 0; output < outputs; ++output) {
        double sum = 0;
        for (std::size_t input = 0; input < inputs; ++input) sum += double(kernel[input * outputs + output]);
        weights[inputs * pitch + output] = float(sum);
    }
    planner.give({planner.in().steps, outputs, planner.in().has_steps});
    Operation& op = planner.add(Kind::affine);
    op.activation = planner.activation(0);
    op.pitch = std::int32_t(pitch);
    op.weights = weights;
    op.bias = bias;
}

void Conv1D(Planner& planner) {
    planner.expect(1, 5, {3, 1});
    const std::size_t steps = planner.in_steps().steps, inputs = planner.in().channels;
    const std::size_t length = planner.shape_of(0)[0], outputs = planner.shape_of(0)[2], pitch = padded(outputs);
    const std::int32_t stride = planner.option(1, 1, most_option), dilation = planner.option(2, 1, most_option);
    const auto padding = Padding(planner.option(3, 0, 2));
    const auto groups = std::size_t(planner.option(4, 1, most_option));
    if (inputs % groups != 0 || outputs % groups != 0)
        throw Error(number(inputs) + " channels and " + number(outputs) + " outputs do not make " + number(groups) +
                    " groups");
    const float* kernel = planner.values_of(0, {length, inputs / groups, outputs});
    const float* bias = planner.padded_copy(planner.values_of(1, {outputs}), outputs);
    const Visits visited = visits(steps, length, std::size_t(stride), std::size_t(dilation), padding);
    float* weights = planner.weights(length * (inputs / groups) * pitch);
    lay_out(kernel, length * (inputs / groups), outputs, pitch, weights);
    planner.give({visited.steps, outputs, true});
    Operation& op = planner.add(groups == 1 ? Kind::affine : Kind::grouped);
    op.activation = planner.activation(0);
    op.length = std::int32_t(length);
    op.stride = stride;
    op.dilation = dilation;
    op.pad_front = std::int32_t(visited.pad_front);
    op.groups = std::int32_t(groups);
    op.pitch = std::int32_t(pitch);
    op.weights = weights;
    op.bias = bias;
}

void Conv1DTranspose(Planner& planner) {
    planner.expect(1, 3, {3, 1});
    const std::size_t steps = planner.in_steps().steps, inputs = planner.in().channels;
    const std::size_t length = planner.shape_of(0)[0], outputs = planner.shape_of(0)[1], pitch = padded(outputs);
    const float* kernel = planner.values_of(0, {length, outputs, inputs});
    const float* bias = planner.padded_copy(planner.values_of(1, {outputs}), outputs);
    const auto stride = std::size_t(planner.option(1, 1, most_option));
    const bool same = planner.option(2, 0, 1) == 1;
    const std::size_t steps_out = same ? steps * stride : (steps - 1) * stride + std::max(length, stride);
    planner.give({steps_out, outputs, true});
    float* weights = planner.weights(length * inputs * pitch);
    for (std::size_t tap = 0; tap < length; ++tap)
        for (std::size_t output = 0; output < outputs; ++output)
            for (std::size_t input = 0; input < inputs; ++input)
                weights[(tap * inputs + input) * pitch + output] = kernel[(tap * outputs + output) * inputs + input];
    Operation& op = planner.add(Kind::transposed);
    op.activation = planner.activation(0);
    op.length = std::int32_t(length);
    op.stride = std::int32_t(stride);
    op.pad_front = std::int32_t(same && length > stride ? (length - stride) / 2 : 0);
    op.pitch = std::int32_t(pitch);
    op.weights = weights;
    op.bias = bias;
}

namespace {

void pool(Planner& planner, Kind kind) {
    planner.expect(1, 3, {});
    const std::int32_t size = planner.option(0, 1, most_option), stride = planner.option(1, 1, most_option);
    const auto padding = Padding(planner.option(2, 0, 1));
    const Visits visited = visits(planner.in_steps().steps, std::size_t(size), std::size_t(stride), 1, padding);
    planner.give({visited.steps, planner.in().channels, true});
    Operation& op = planner.add(kind);
    op.length = size;
    op.stride = stride;
    op.pad_front = std::int32_t(visited.pad_front);
}

void pool_all(Planner& planner, Kind kind) {
    planner.expect(1, 0, {});
    const std::size_t steps = planner.in_steps().steps;
    planner.give({1, planner.in().channels, false});
    planner.add(kind).length = std::int32_t(steps);
}

}  // namespace

void MaxPooling1D(Planner& planner) { pool(planner, Kind::max_pool); }
void AveragePooling1D(Planner& planner) { pool(planner, Kind::average_pool); }
void GlobalMaxPooling1D(Planner& planner) { pool_all(planner, Kind::max_pool); }
void GlobalAveragePooling1D(Planner& planner) { pool_all(planner, Kind::average_pool); }

}  // namespace layers
}  // namespace discrimen
