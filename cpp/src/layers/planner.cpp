#include "planner.hpp"

#include <algorithm>
#include <limits>
#include <new>

#include "list.hpp"

namespace discrimen {
namespace {

constexpr std::size_t most_places = (1 << 26) - 1;  // values of a pulse: places within a block of 32 fit into 32 bits
constexpr std::uint32_t dense_code = 1;
constexpr std::size_t most_sets = 10;  // of values that live at a time, each as large as the file

struct LayerEntry {
    std::uint32_t code;
    const char* name;
    void (*plan)(Planner&);
};

constexpr LayerEntry entries[] = {
#define DISCRIMEN_ENTRY(code, name) {code, #name, layers::name},
    DISCRIMEN_LAYERS(DISCRIMEN_ENTRY)
#undef DISCRIMEN_ENTRY
};

const LayerEntry& entry_of(std::uint32_t code) {
    for (const LayerEntry& entry : entries)
        if (entry.code == code) return entry;
    throw Error("there is no layer with number " + number(code) + "; the file comes from a newer version");
}

std::string lengths_of(const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t length : shape) text += number(length) + ",";
    return "(" + text + ")";
}

}  // namespace

std::size_t padded(std::size_t count) { return (count + pad_to - 1) / pad_to * pad_to; }

bool operator==(const Shape& one, const Shape& other) {
    return one.steps == other.steps && one.channels == other.channels && one.has_steps == other.has_steps;
}

std::string text_of(const Shape& shape) {
    return shape.has_steps ? number(shape.steps) + " x " + number(shape.channels) : number(shape.channels);
}

AlignedFloats::AlignedFloats(std::size_t count) {
    if (count > std::size_t(std::numeric_limits<std::int32_t>::max()))
        throw Error("its " + number(count) + " weights are more than 32 bits can count");
    constexpr std::size_t cache_line = 64;
    const std::size_t size = (count * sizeof(float) + cache_line - 1) / cache_line * cache_line;
    memory_.reset(static_cast<float*>(std::aligned_alloc(cache_line, size)));
    if (!memory_) throw std::bad_alloc();
    size_ = size / sizeof(float);
    std::fill_n(memory_.get(), size_, 0.0f);
}

Planner::Planner(const FrozenFile& file) : file_(file), n_readers_(file.layers.size() + 1) {
    for (const FrozenLayer& layer : file.layers)
        for (const std::uint32_t value : layer.inputs) ++n_readers_[value];
    for (const FrozenOutput& output : file.outputs) ++n_readers_[output.value];
    try {
        give({file.input.channels.size(), std::size_t(file.input.window_length), true});
    } catch (const Error& error) {
        throw Error(std::string("input: ") + error.what());
    }
}

void Planner::add_layer(std::size_t which) {
    layer_ = &file_.layers[which];
    const std::size_t n_operations = operations_.size();
    const char* name = "unknown";
    try {
        const LayerEntry& entry = entry_of(layer_->code);
        name = entry.name;
        if (layer_->inputs.empty()) throw Error("it reads no value");
        entry.plan(*this);
    } catch (const Error& error) {
        throw Error("layer " + number(which) + " (" + name + "): " + error.what());
    }
    for (std::size_t i = n_operations; i < operations_.size(); ++i) operations_[i].layer = std::int32_t(which);
    for (const std::uint32_t value : layer_->inputs) --buffers_[values_[value].buffer].n_readers;
}

const Shape& Planner::in(std::size_t which) const { return values_[layer_->inputs[which]].shape; }

const Shape& Planner::in_steps(std::size_t which) const {
    if (!in(which).has_steps) throw Error("it needs steps, a row of " + text_of(in(which)) + " values comes");
    return in(which);
}

void Planner::expect(std::size_t n_inputs, std::size_t n_options, std::initializer_list<std::size_t> axes) const {
    if (layer_->inputs.size() != n_inputs)
        throw Error("expected " + number(n_inputs) + " inputs, got " + number(layer_->inputs.size()));
    const bool fits = layer_->options.size() == n_options && layer_->arrays.size() == axes.size() &&
                      std::equal(axes.begin(), axes.end(), layer_->arrays.begin(),
                                 [](std::size_t wanted, const FrozenArray& got) { return wanted == got.shape.size(); });
    if (!fits)
        throw Error("expected " + number(n_options) + " options and " + number(axes.size()) +
                    " arrays of weights, got " + number(layer_->options.size()) + " and " +
                    number(layer_->arrays.size()) + ", or other axes");
}

std::int32_t Planner::option(std::size_t which, std::int32_t least, std::int32_t most) const {
    const std::int32_t value = layer_->options[which];
    if (value < least || value > most)
        throw Error("option " + number(which) + " must lie between " + std::to_string(least) + " and " +
                    std::to_string(most) + ", got " + std::to_string(value));
    return value;
}

Activation Planner::activation(std::size_t which) const { return Activation(option(which, 0, n_activations - 1)); }

Activation Planner::elementwise(std::size_t which) const {
    if (activation(which) == Activation::softmax) throw Error("softmax is not for each value by itself");
    return activation(which);
}

const float* Planner::values_of(std::size_t array, std::initializer_list<std::size_t> wanted) const {
    const FrozenArray& got = layer_->arrays[array];
    if (!std::equal(wanted.begin(), wanted.end(), got.shape.begin(), got.shape.end()))
        throw Error("weights of shape " + lengths_of(got.shape) + ", expected " +
                    lengths_of(std::vector<std::size_t>(wanted)));
    return file_.weights.data() + got.start;
}

float* Planner::weights(std::size_t count) {
    weights_.emplace_back(count);
    return weights_.back().data();
}

float* Planner::padded_copy(const float* from, std::size_t count) {
    float* to = weights(padded(count));
    std::copy_n(from, count, to);
    return to;
}

void Planner::scratch(std::size_t floats) { scratch_ = std::max(scratch_, floats); }

// The smallest free buffer that is large enough, else the largest free one, grown, else a new one: a chain of layers
// takes two.
std::size_t Planner::free_buffer(std::size_t floats) {
    const std::size_t none = buffers_.size();
    std::size_t fitting = none, largest = none;
    for (std::size_t i = 0; i < buffers_.size(); ++i) {
        if (buffers_[i].n_readers > 0) continue;
        if (buffers_[i].floats >= floats && (fitting == none || buffers_[i].floats < buffers_[fitting].floats))
            fitting = i;
        if (largest == none || buffers_[i].floats > buffers_[largest].floats) largest = i;
    }
    if (fitting != none) return fitting;
    if (largest == none) buffers_.push_back({0, 0, 0});
    buffers_[largest].floats = floats;
    return largest;
}

void Planner::give_value(Shape shape, std::size_t buffer) {
    buffers_[buffer].n_readers += n_readers_[values_.size()];
    values_.push_back({shape, buffer});
}

void Planner::give(Shape shape) {
    // A damaged file could ask for any amount of memory by a few numbers.
    if (shape.steps > std::min(file_.size, most_places) / shape.channels)
        throw Error("it gives more values than a file of " + number(file_.size) + " bytes warrants");
    give_value(shape, free_buffer(padded(shape.count()) + pad_to));  // a vector may reach behind the last value
}

void Planner::give_in_place(std::size_t which) {
    const Value& value = values_[layer_->inputs[which]];
    if (buffers_[value.buffer].n_readers > 1) return give(value.shape);
    give_value(value.shape, value.buffer);
}

void Planner::alias(Shape shape) { give_value(shape, values_[layer_->inputs[0]].buffer); }

Operation& Planner::add(Kind kind, std::initializer_list<std::size_t> inputs) {
    Operation op = {};
    op.kind = kind;
    std::size_t* place = op.in;
    for (const std::size_t input : inputs) *place++ = values_[layer_->inputs[input]].buffer;
    const Shape &from = in(inputs.size() > 0 ? *inputs.begin() : 0), &to = values_.back().shape;
    op.out = values_.back().buffer;
    op.steps_in = std::int32_t(from.steps);
    op.channels_in = std::int32_t(from.channels);
    op.steps_out = std::int32_t(to.steps);
    op.channels_out = std::int32_t(to.channels);
    op.length = op.stride = op.dilation = op.groups = op.direction = 1;
    if (operations_.empty())
        first_can_scale_ =
            kind == Kind::affine && layer_->code == dense_code && from.steps == 1 && buffers_[op.in[0]].n_readers == 1;
    operations_.push_back(op);
    return operations_.back();
}

std::size_t Planner::place_of_value(std::size_t value) const { return buffers_[values_[value].buffer].start; }

bool Planner::read_last(std::size_t value) { return --buffers_[values_[value].buffer].n_readers == 0; }

void Planner::finish() {
    for (Buffer& buffer : buffers_) {
        buffer.start = buffer_floats_;
        buffer_floats_ += buffer.floats;
    }
    if (buffer_floats_ + scratch_floats() > most_sets * file_.size)
        throw Error("it keeps " + number(buffer_floats_) + " values at a time, more than a file of " +
                    number(file_.size) + " bytes warrants");
    for (Operation& op : operations_) {
        for (std::size_t& place : op.in) place = buffers_[place].start;
        op.out = buffers_[op.out].start;
    }
}

}  // namespace discrimen
