// LSTM, GRU and the simple recurrent layer. Kernel and recurrent kernel are laid out below one another, each gate
// padded to whole vectors of units.
#include <algorithm>

#include "list.hpp"

namespace discrimen::layers {
namespace {

struct Sizes {
    std::size_t inputs, units, n_gates, unit_pitch;

    std::size_t pitch() const { return n_gates * unit_pitch; }
};

Sizes sizes_of(const Planner& planner, std::size_t n_gates) {
    const std::size_t units = planner.shape_of(1)[0];
    return {planner.in_steps().channels, units, n_gates, padded(units)};
}

const float* laid_out(Planner& planner, const Sizes& sizes) {
    const std::size_t columns = sizes.n_gates * sizes.units, rows = sizes.inputs + sizes.units;
    const float* kernel = planner.values_of(0, {sizes.inputs, columns});
    const float* recurrent = planner.values_of(1, {sizes.units, columns});
    float* weights = planner.weights(rows * sizes.pitch());
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t gate = 0; gate < sizes.n_gates; ++gate) {
            const float* from =
                row < sizes.inputs ? kernel + row * columns : recurrent + (row - sizes.inputs) * columns;
            std::copy_n(from + gate * sizes.units, sizes.units,
                        weights + row * sizes.pitch() + gate * sizes.unit_pitch);
        }
    return weights;
}

float* laid_out_bias(Planner& planner, const Sizes& sizes, std::size_t array) {
    const float* bias = planner.values_of(array, {sizes.n_gates * sizes.units});
    float* to = planner.weights(4 * sizes.unit_pitch);
    for (std::size_t gate = 0; gate < sizes.n_gates; ++gate)
        std::copy_n(bias + gate * sizes.units, sizes.units, to + gate * sizes.unit_pitch);
    return to;
}

Operation& recurrent(Planner& planner, Kind kind, const Sizes& sizes, const float* weights, const float* bias) {
    const bool sequences = planner.option(0, 0, 1) == 1;
    const std::size_t steps = planner.in().steps;
    planner.scratch(sizes.inputs + 7 * sizes.unit_pitch + pad_to);
    planner.give({sequences ? steps : 1, sizes.units, sequences});
    Operation& op = planner.add(kind);
    op.sequences = sequences;
    op.pitch = std::int32_t(sizes.pitch());
    op.weights = weights;
    op.bias = bias;
    return op;
}

}  // namespace

void Lstm(Planner& planner) {
    planner.expect(1, 2, {2, 2, 1});
    const Sizes sizes = sizes_of(planner, 4);
    const float* weights = laid_out(planner, sizes);
    const float* bias = laid_out_bias(planner, sizes, 2);
    const bool hard_gates = planner.option(1, 0, 1) == 1;
    recurrent(planner, Kind::lstm, sizes, weights, bias).hard_gates = hard_gates;
}

// The two biases of update and reset are added at once. The candidate's second one stays inside the reset, unless the
// reset comes before the product.
void Gru(Planner& planner) {
    planner.expect(1, 3, {2, 2, 1, 1});
    const Sizes sizes = sizes_of(planner, 3);
    const float* weights = laid_out(planner, sizes);
    float* bias = laid_out_bias(planner, sizes, 2);
    const float* second = planner.values_of(3, {3 * sizes.units});
    const bool hard_gates = planner.option(1, 0, 1) == 1, reset_after = planner.option(2, 0, 1) == 1;
    const std::size_t n_added = reset_after ? 2 : 3;
    for (std::size_t gate = 0; gate < n_added; ++gate)
        for (std::size_t unit = 0; unit < sizes.units; ++unit)
            bias[gate * sizes.unit_pitch + unit] += second[gate * sizes.units + unit];
    if (reset_after) std::copy_n(second + 2 * sizes.units, sizes.units, bias + 3 * sizes.unit_pitch);
    Operation& op = recurrent(planner, Kind::gru, sizes, weights, bias);
    op.hard_gates = hard_gates;
    op.reset_after = reset_after;
}

void SimpleRnn(Planner& planner) {
    planner.expect(1, 2, {2, 2, 1});
    const Sizes sizes = sizes_of(planner, 1);
    const float* weights = laid_out(planner, sizes);
    const float* bias = laid_out_bias(planner, sizes, 2);
    const Activation activation = planner.elementwise(1);
    recurrent(planner, Kind::simple_rnn, sizes, weights, bias).activation = activation;
}

}  // namespace discrimen::layers
