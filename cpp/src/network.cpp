#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <string>

#include "discrimen/model.hpp"

namespace discrimen {
namespace {

constexpr std::int32_t most_option = (1 << 24) - 1;
constexpr std::size_t most_reach = 1 << 30;  // so that places of taps fit into 32 bits
constexpr std::size_t most_places = (1 << 26) - 1;  // values of a pulse: places within a block of 32 fit into 32 bits
constexpr std::size_t n_activations = 8, n_paddings = 2, max_kept = 8;

std::string number(std::size_t value) { return std::to_string(value); }

std::size_t padded(std::size_t count) { return (count + pad_to - 1) / pad_to * pad_to; }

void expect(const FrozenLayer& layer, std::size_t n_options, std::initializer_list<std::size_t> axes) {
    const bool fits = layer.options.size() == n_options && layer.arrays.size() == axes.size() &&
                      std::equal(axes.begin(), axes.end(), layer.arrays.begin(),
                                 [](std::size_t wanted, const FrozenArray& got) { return wanted == got.shape.size(); });
    if (!fits)
        throw Error("expected " + number(n_options) + " options and " + number(axes.size()) + " arrays of weights, got " +
                    number(layer.options.size()) + " and " + number(layer.arrays.size()) + ", or other axes");
}

std::int32_t option(const FrozenLayer& layer, std::size_t which, std::int32_t least, std::int32_t most) {
    const std::int32_t value = layer.options[which];
    if (value < least || value > most)
        throw Error("option " + number(which) + " must lie between " + std::to_string(least) + " and " +
                    std::to_string(most) + ", got " + std::to_string(value));
    return value;
}

Activation activation_of(const FrozenLayer& layer) { return Activation(option(layer, 0, 0, n_activations - 1)); }

void expect_shape(const FrozenArray& array, std::initializer_list<std::size_t> wanted) {
    if (!std::equal(wanted.begin(), wanted.end(), array.shape.begin(), array.shape.end())) {
        std::string text = "weights of shape (";
        for (const std::size_t length : array.shape) text += number(length) + ",";
        text += "), expected (";
        for (const std::size_t length : wanted) text += number(length) + ",";
        throw Error(text + ")");
    }
}

// Steps that a kernel or a pool of `size` visits, with its padding in front.
struct Visits {
    std::size_t steps, pad_front;
};

Visits visits(std::size_t steps, std::size_t size, std::size_t stride, std::size_t dilation, bool same) {
    const std::size_t reach = (size - 1) * dilation + 1;
    if ((!same && reach > steps) || reach > most_reach)
        throw Error("it reaches over " + number(reach) + " steps, " + number(steps) + " are there");
    if (!same) return {(steps - reach) / stride + 1, 0};
    const std::size_t out = (steps + stride - 1) / stride, span = (out - 1) * stride + reach;
    return {out, span > steps ? (span - steps) / 2 : 0};
}

// Copies (row, column) to rows of `pitch` floats.
void lay_out(const float* from, std::size_t rows, std::size_t columns, std::size_t pitch, float* to) {
    for (std::size_t row = 0; row < rows; ++row) std::copy_n(from + row * columns, columns, to + row * pitch);
}

AlignedFloats padded_bias(const FrozenFile& file, const FrozenArray& bias) {
    AlignedFloats values(padded(bias.shape[0]));
    std::copy_n(file.weights.data() + bias.start, bias.shape[0], values.data());
    return values;
}

const char* name_of(LayerCode code) {
    switch (code) {
        case LayerCode::dense: return "Dense";
        case LayerCode::conv1d: return "Conv1D";
        case LayerCode::max_pooling: return "MaxPooling1D";
        case LayerCode::average_pooling: return "AveragePooling1D";
        case LayerCode::global_max_pooling: return "GlobalMaxPooling1D";
        case LayerCode::global_average_pooling: return "GlobalAveragePooling1D";
        case LayerCode::flatten: return "Flatten";
        case LayerCode::reshape: return "Reshape";
        case LayerCode::lstm: return "Lstm";
        case LayerCode::gru: return "Gru";
        case LayerCode::activate: return "Activate";
        case LayerCode::conv1d_transpose: return "Conv1DTranspose";
        case LayerCode::up_sampling: return "UpSampling1D";
        case LayerCode::keep: return "Keep";
        case LayerCode::add_kept: return "AddKept";
    }
    return "unknown";
}

PreparationPlan plan_preparation(const FrozenPreparation& p) {
    const bool fits = (p.polarity == 1 || p.polarity == -1) && p.baseline_start >= 0 &&
                      p.baseline_start < p.baseline_stop && p.baseline_stop <= most_option && p.window_start >= 0 &&
                      p.window_start <= most_option && p.window_length >= 1 && p.window_length <= most_option &&
                      p.scale >= 0 && p.scale <= 2 && p.sample_period_ns > 0 &&
                      std::isfinite(p.sample_period_ns) && p.n_classes >= 1;
    const bool alignment_fits = !p.aligned || (p.fraction > 0 && p.fraction < 1 && p.position >= -most_option &&
                                               p.position <= most_option);
    if (!fits || !alignment_fits) throw Error("the preparation is not a possible one");
    PreparationPlan plan;
    plan.polarity = float(p.polarity);
    plan.baseline_start = p.baseline_start;
    plan.baseline_stop = p.baseline_stop;
    plan.window_start = p.window_start;
    plan.window_length = p.window_length;
    plan.aligned = p.aligned != 0;
    plan.interpolate = p.interpolate != 0;
    plan.position = p.position;
    plan.fraction = float(p.fraction);
    plan.scale = Scale(p.scale);
    plan.shortest_record = std::max(p.baseline_stop, plan.aligned ? 1 : p.window_start + p.window_length);
    return plan;
}

}  // namespace

AlignedFloats::AlignedFloats(std::size_t count) {
    if (count > std::size_t(std::numeric_limits<std::int32_t>::max()))
        throw Error("its " + number(count) + " weights are more than 32 bits can count");
    constexpr std::size_t cache_line = 64;
    const std::size_t size = (count * sizeof(float) + cache_line - 1) / cache_line * cache_line;
    memory_.reset(static_cast<float*>(std::aligned_alloc(cache_line, size)));
    if (!memory_) throw std::bad_alloc();
    std::fill_n(memory_.get(), size / sizeof(float), 0.0f);
}

Network::Network(const FrozenFile& file) {
    plan_.preparation = plan_preparation(file.preparation);
    channels_ = std::size_t(file.preparation.window_length);
    if (std::size_t(plan_.preparation.shortest_record) > file.golden.n_samples || channels_ > file.size)
        throw Error("golden pulses of " + number(file.golden.n_samples) + " samples are too short for the preparation");
    most_values_ = padded(channels_);
    for (std::size_t i = 0; i < file.layers.size(); ++i) {
        try {
            add_layer(file, file.layers[i]);
        } catch (const Error& error) {
            throw Error("layer " + number(i) + " (" + name_of(file.layers[i].code) + "): " + error.what());
        }
        // A damaged file could ask for any amount of memory by a few numbers.
        if (steps_ > std::min(file.size, most_places) / channels_)
            throw Error("layer " + number(i) + " gives more values than a file of " + number(file.size) +
                        " bytes warrants");
        most_values_ = std::max(most_values_, steps_ * channels_);
    }
    finish(file.classes.size());
}

void Network::finish(std::size_t n_classes) {
    if (has_steps_ || channels_ != n_classes)
        throw Error("expected " + number(n_classes) + " scores, the network gives " + number(steps_) + " x " +
                    number(channels_));
    plan_.operations = operations_.data();
    plan_.n_operations = std::int32_t(operations_.size());
    plan_.n_classes = std::int32_t(n_classes);
    const std::size_t window = std::size_t(plan_.preparation.window_length);
    plan_.first_can_scale = !operations_.empty() && operations_[0].kind == Kind::affine &&
                            std::size_t(operations_[0].channels_in) == window;
    plan_.values = padded(most_values_) + pad_to;  // a vector may reach behind the last value
    plan_.n_slots = std::int32_t(kept_shapes_.size());
    plan_.kept = plan_.n_slots > 0 ? plan_.values : 0;
    plan_.scratch = padded(plan_.scratch) + pad_to;
}

std::size_t Network::workspace_floats(int block) const {
    return (2 * plan_.values + plan_.kept * std::size_t(plan_.n_slots) + plan_.scratch) * std::size_t(block);
}

Operation& Network::push(Kind kind, std::size_t steps_out, std::size_t channels_out) {
    Operation op = {};
    op.kind = kind;
    op.steps_in = std::int32_t(steps_);
    op.channels_in = std::int32_t(channels_);
    op.steps_out = std::int32_t(steps_out);
    op.channels_out = std::int32_t(channels_out);
    op.stride = op.dilation = op.length = 1;
    steps_ = steps_out;
    channels_ = channels_out;
    operations_.push_back(op);
    return operations_.back();
}

void Network::add_layer(const FrozenFile& file, const FrozenLayer& layer) {
    const bool on_rows = layer.code == LayerCode::dense || layer.code == LayerCode::flatten ||
                         layer.code == LayerCode::reshape || layer.code == LayerCode::activate ||
                         layer.code == LayerCode::keep || layer.code == LayerCode::add_kept;
    if (!on_rows && !has_steps_) throw Error("it needs steps, a row of " + number(channels_) + " values comes");
    switch (layer.code) {
        case LayerCode::dense:
        case LayerCode::conv1d: return add_affine(file, layer);
        case LayerCode::conv1d_transpose: return add_transposed(file, layer);
        case LayerCode::max_pooling:
        case LayerCode::average_pooling:
        case LayerCode::global_max_pooling:
        case LayerCode::global_average_pooling: return add_pool(layer);
        case LayerCode::lstm:
        case LayerCode::gru: return add_recurrent(file, layer);
        case LayerCode::flatten:
        case LayerCode::reshape: return add_reshape(layer);
        case LayerCode::up_sampling: return add_up_sampling(layer);
        case LayerCode::keep:
        case LayerCode::add_kept: return add_kept(layer);
        case LayerCode::activate:
            expect(layer, 1, {});
            push(Kind::activate, steps_, channels_).activation = activation_of(layer);
            return;
    }
    throw Error("there is no layer with number " + number(std::size_t(layer.code)) +
                "; the file comes from a newer version");
}

void Network::add_affine(const FrozenFile& file, const FrozenLayer& layer) {
    const bool dense = layer.code == LayerCode::dense;
    if (dense)
        expect(layer, 1, {2, 1});
    else
        expect(layer, 4, {3, 1});
    const std::vector<std::size_t>& shape = layer.arrays[0].shape;
    const std::size_t length = dense ? 1 : shape[0], outputs = shape.back(), pitch = padded(outputs);
    if (dense)
        expect_shape(layer.arrays[0], {channels_, outputs});
    else
        expect_shape(layer.arrays[0], {length, channels_, outputs});
    expect_shape(layer.arrays[1], {outputs});
    const std::int32_t stride = dense ? 1 : option(layer, 1, 1, most_option);
    const std::int32_t dilation = dense ? 1 : option(layer, 2, 1, most_option);
    const bool same = !dense && option(layer, 3, 0, n_paddings - 1) == 1;
    const Visits visited = visits(steps_, length, std::size_t(stride), std::size_t(dilation), same);

    AlignedFloats weights(length * channels_ * pitch);
    lay_out(file.weights.data() + layer.arrays[0].start, length * channels_, outputs, pitch, weights.data());
    weights_.push_back(std::move(weights));
    weights_.push_back(padded_bias(file, layer.arrays[1]));
    Operation& op = push(Kind::affine, visited.steps, outputs);
    op.activation = activation_of(layer);
    op.length = std::int32_t(length);
    op.stride = stride;
    op.dilation = dilation;
    op.pad_front = std::int32_t(visited.pad_front);
    op.pitch = std::int32_t(pitch);
    op.weights = weights_[weights_.size() - 2].data();
    op.bias = weights_.back().data();
}

void Network::add_transposed(const FrozenFile& file, const FrozenLayer& layer) {
    expect(layer, 3, {3, 1});
    const std::vector<std::size_t>& shape = layer.arrays[0].shape;
    const std::size_t length = shape[0], outputs = shape[1], pitch = padded(outputs);
    expect_shape(layer.arrays[0], {length, outputs, channels_});
    expect_shape(layer.arrays[1], {outputs});
    const auto stride = std::size_t(option(layer, 1, 1, most_option));
    const bool same = option(layer, 2, 0, n_paddings - 1) == 1;
    const std::size_t steps_out = same ? steps_ * stride : (steps_ - 1) * stride + std::max(length, stride);
    if (steps_out > file.size) throw Error("it gives more steps than the file warrants");

    AlignedFloats weights(length * channels_ * pitch);
    const float* from = file.weights.data() + layer.arrays[0].start;
    for (std::size_t tap = 0; tap < length; ++tap)
        for (std::size_t output = 0; output < outputs; ++output)
            for (std::size_t input = 0; input < channels_; ++input)
                weights.data()[(tap * channels_ + input) * pitch + output] = *from++;
    weights_.push_back(std::move(weights));
    weights_.push_back(padded_bias(file, layer.arrays[1]));
    Operation& op = push(Kind::transposed, steps_out, outputs);
    op.activation = activation_of(layer);
    op.length = std::int32_t(length);
    op.stride = std::int32_t(stride);
    op.pad_front = std::int32_t(same && length > stride ? (length - stride) / 2 : 0);
    op.pitch = std::int32_t(pitch);
    op.weights = weights_[weights_.size() - 2].data();
    op.bias = weights_.back().data();
}

void Network::add_pool(const FrozenLayer& layer) {
    const bool global =
        layer.code == LayerCode::global_max_pooling || layer.code == LayerCode::global_average_pooling;
    const bool largest = layer.code == LayerCode::global_max_pooling || layer.code == LayerCode::max_pooling;
    expect(layer, global ? 0 : 3, {});
    const std::size_t size = global ? steps_ : std::size_t(option(layer, 0, 1, most_option));
    const std::size_t stride = global ? 1 : std::size_t(option(layer, 1, 1, most_option));
    const bool same = !global && option(layer, 2, 0, n_paddings - 1) == 1;
    const Visits visited = visits(steps_, size, stride, 1, same);
    Operation& op = push(largest ? Kind::max_pool : Kind::average_pool, visited.steps, channels_);
    op.length = std::int32_t(size);
    op.stride = std::int32_t(stride);
    op.pad_front = std::int32_t(visited.pad_front);
    if (global) has_steps_ = false;
}

void Network::add_recurrent(const FrozenFile& file, const FrozenLayer& layer) {
    const bool lstm = layer.code == LayerCode::lstm;
    if (lstm)
        expect(layer, 1, {2, 2, 1});
    else
        expect(layer, 1, {2, 2, 1, 1});
    const std::size_t n_gates = lstm ? 4 : 3, units = layer.arrays[1].shape[0];
    const std::size_t unit_pitch = padded(units), pitch = n_gates * unit_pitch, rows = channels_ + units;
    expect_shape(layer.arrays[0], {channels_, n_gates * units});
    expect_shape(layer.arrays[1], {units, n_gates * units});
    for (std::size_t i = 2; i < layer.arrays.size(); ++i) expect_shape(layer.arrays[i], {n_gates * units});

    const float *kernel = file.weights.data() + layer.arrays[0].start,
                *recurrent = file.weights.data() + layer.arrays[1].start,
                *bias = file.weights.data() + layer.arrays[2].start;
    AlignedFloats weights(rows * pitch), biases(4 * unit_pitch);
    for (std::size_t gate = 0; gate < n_gates; ++gate) {
        float* to = weights.data() + gate * unit_pitch;
        for (std::size_t row = 0; row < rows; ++row) {
            const float* from = row < channels_ ? kernel + row * n_gates * units
                                                : recurrent + (row - channels_) * n_gates * units;
            std::copy_n(from + gate * units, units, to + row * pitch);
        }
        std::copy_n(bias + gate * units, units, biases.data() + gate * unit_pitch);
    }
    if (!lstm) {
        // Update and reset add both biases at once; the candidate's second one stays inside the reset.
        const float* second = file.weights.data() + layer.arrays[3].start;
        for (std::size_t gate = 0; gate < 2; ++gate)
            for (std::size_t unit = 0; unit < units; ++unit)
                biases.data()[gate * unit_pitch + unit] += second[gate * units + unit];
        std::copy_n(second + 2 * units, units, biases.data() + 3 * unit_pitch);
    }
    weights_.push_back(std::move(weights));
    weights_.push_back(std::move(biases));
    const bool sequences = option(layer, 0, 0, 1) == 1;
    plan_.scratch = std::max(plan_.scratch, channels_ + 6 * unit_pitch);
    const std::size_t steps_out = sequences ? steps_ : 1;
    Operation& op = push(lstm ? Kind::lstm : Kind::gru, steps_out, units);
    op.sequences = sequences;
    op.pitch = std::int32_t(pitch);
    op.weights = weights_[weights_.size() - 2].data();
    op.bias = weights_.back().data();
    has_steps_ = sequences;
}

// Values keep their place in memory: only the shape changes.
void Network::add_reshape(const FrozenLayer& layer) {
    const bool flatten = layer.code == LayerCode::flatten;
    expect(layer, flatten ? 0 : 2, {});
    const std::size_t n_values = steps_ * channels_;
    const std::size_t steps = flatten ? 0 : std::size_t(option(layer, 0, 0, most_option));
    const std::size_t channels = flatten ? n_values : std::size_t(option(layer, 1, 1, most_option));
    has_steps_ = steps > 0;
    if (std::max<std::size_t>(steps, 1) * channels != n_values)
        throw Error("cannot make " + number(steps) + " x " + number(channels) + " of " + number(n_values) + " values");
    steps_ = has_steps_ ? steps : 1;
    channels_ = channels;
}

void Network::add_up_sampling(const FrozenLayer& layer) {
    expect(layer, 1, {});
    const std::int32_t times = option(layer, 0, 1, most_option);
    push(Kind::repeat, steps_ * std::size_t(times), channels_).length = times;
}

void Network::add_kept(const FrozenLayer& layer) {
    expect(layer, 1, {});
    const auto slot = std::size_t(option(layer, 0, 0, max_kept - 1));
    const bool keep = layer.code == LayerCode::keep;
    if (keep && slot >= kept_shapes_.size()) kept_shapes_.resize(slot + 1);
    if (!keep && (slot >= kept_shapes_.size() || kept_shapes_[slot] != std::pair(steps_, channels_)))
        throw Error("what is kept under " + number(slot) + " has not the shape " + number(steps_) + " x " +
                    number(channels_));
    if (keep) kept_shapes_[slot] = {steps_, channels_};
    push(keep ? Kind::keep : Kind::add_kept, steps_, channels_).slot = std::int32_t(slot);
}

}  // namespace discrimen
