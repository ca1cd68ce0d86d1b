// What the planner of a layer works with: the layer's inputs, options and arrays, and the operations it makes of them.
//
// Every layer gives one value. Its planner says where that value lives by one call of give, give_in_place or alias, and
// then adds the operations that compute it. Buffers are allotted here: one is free again after its last reader.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "../frozen_file.hpp"
#include "../plan.hpp"

namespace discrimen {

constexpr std::int32_t most_option = (1 << 24) - 1;

std::size_t padded(std::size_t count);  // to whole cache lines

// Zeros at first; begins with a cache line, so that no vector of a row of weights straddles two.
class AlignedFloats {
   public:
    explicit AlignedFloats(std::size_t count);
    float* data() const { return memory_.get(); }
    std::size_t size() const { return size_; }

   private:
    struct Free {
        void operator()(float* memory) const { std::free(memory); }
    };
    std::unique_ptr<float, Free> memory_;
    std::size_t size_ = 0;  // in floats, whole cache lines
};

struct Shape {
    std::size_t steps, channels;  // of values without an axis of steps: 1 step
    bool has_steps;

    std::size_t count() const { return steps * channels; }
};

bool operator==(const Shape& one, const Shape& other);
std::string text_of(const Shape& shape);

class Planner {
   public:
    explicit Planner(const FrozenFile& file);
    Planner(const Planner&) = delete;
    Planner& operator=(const Planner&) = delete;

    // Throws Error if the layer is unknown or does not fit its inputs.
    void add_layer(std::size_t which);
    // Turns numbers of buffers into places in the workspace; no layer after this.
    void finish();

    // For the planner of a layer.
    std::size_t n_inputs() const { return layer_->inputs.size(); }
    const Shape& in(std::size_t which = 0) const;
    const Shape& in_steps(std::size_t which = 0) const;  // throws Error if that input has no steps
    void expect(std::size_t n_inputs, std::size_t n_options, std::initializer_list<std::size_t> axes) const;
    std::int32_t option(std::size_t which, std::int32_t least, std::int32_t most) const;
    Activation activation(std::size_t which) const;
    Activation elementwise(std::size_t which) const;
    std::size_t n_arrays() const { return layer_->arrays.size(); }
    const std::vector<std::size_t>& shape_of(std::size_t array) const { return layer_->arrays[array].shape; }
    // Throws Error if that array has not the wanted shape.
    const float* values_of(std::size_t array, std::initializer_list<std::size_t> wanted) const;

    float* weights(std::size_t count);  // zeros, kept as long as the plan
    float* padded_copy(const float* from, std::size_t count);
    void scratch(std::size_t floats);  // that an operation needs for each pulse

    void give(Shape shape);
    void give_in_place(std::size_t which = 0);  // in that input's buffer if nothing else reads it, else in a new one
    void alias(Shape shape);                    // the values of the input as they lie
    // An operation from some inputs of the layer to the value it gives; `first` and `direction` and so on are 0 and 1.
    Operation& add(Kind kind, std::initializer_list<std::size_t> inputs = {0});

    // For the network.
    const Shape& shape_of_value(std::size_t value) const { return values_[value].shape; }
    std::size_t place_of_value(std::size_t value) const;  // after finish()
    bool read_last(std::size_t value);                    // takes one reader away; whether it was the last
    const std::vector<Operation>& operations() const { return operations_; }
    std::size_t buffer_floats() const { return buffer_floats_; }
    std::size_t scratch_floats() const { return padded(scratch_) + pad_to; }
    bool first_can_scale() const { return first_can_scale_; }
    const std::vector<AlignedFloats>& arrays_of_weights() const { return weights_; }

   private:
    struct Value {
        Shape shape;
        std::size_t buffer;
    };
    struct Buffer {
        std::size_t floats, n_readers, start;
    };

    std::size_t free_buffer(std::size_t floats);
    void give_value(Shape shape, std::size_t buffer);

    const FrozenFile& file_;
    const FrozenLayer* layer_ = nullptr;
    std::vector<std::size_t> n_readers_;  // of each value: layers and outputs
    std::vector<Value> values_;
    std::vector<Buffer> buffers_;
    std::vector<Operation> operations_;
    std::vector<AlignedFloats> weights_;
    std::size_t buffer_floats_ = 0, scratch_ = 0;
    bool first_can_scale_ = false;
};

}  // namespace discrimen
