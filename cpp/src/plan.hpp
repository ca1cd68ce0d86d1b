// What the kernels compute: a preparation and a list of operations, as plain data.
//
// Nothing here has a function: these headers are compiled once for each instruction set, and an inline function in
// common would let the linker pick the copy that uses instructions which the machine lacks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace discrimen {

enum class Activation : std::int32_t { linear, relu, tanh, sigmoid, elu, gelu, silu, softmax };

enum class Scale : std::int32_t { none, peak, area };

struct PreparationPlan {
    float polarity;  // +1 or -1
    std::int32_t baseline_start, baseline_stop;
    std::int32_t window_start, window_length;
    bool aligned, interpolate;
    std::int32_t position;
    float fraction;
    Scale scale;
    std::int32_t shortest_record;
};

enum class Kind : std::int32_t {
    affine,       // Dense (length 1) and Conv1D
    transposed,   // Conv1DTranspose
    max_pool,     // global ones have the size of the input
    average_pool,
    lstm,
    gru,
    activate,
    repeat,  // UpSampling1D
    keep,
    add_kept,
};

// Weights of outputs are padded with zeros to whole cache lines, so that a vector of any width may be loaded.
constexpr int pad_to = 16;

// Values of a pulse are (step, channel), a row of values is one step. Within a block of pulses the pulse is innermost.
struct Operation {
    Kind kind;
    Activation activation;
    std::int32_t steps_in, channels_in, steps_out, channels_out;
    std::int32_t length, stride, dilation, pad_front;  // affine, transposed; pools, with length as size
    std::int32_t slot;                                 // keep, add_kept
    bool sequences;                                    // lstm, gru
    std::int32_t pitch;                                // floats from one row of weights to the next
    const float* weights;  // affine, transposed: (length, channel in, pitch); lstm, gru: (channel + unit, gate, unit)
    const float* bias;     // lstm: (4, unit); gru: (4, unit), the last one inside the reset
};

struct NetworkPlan {
    PreparationPlan preparation;
    const Operation* operations;
    std::int32_t n_operations;
    std::int32_t n_classes;
    bool first_can_scale;       // the first operation is a Dense on the window: it can divide by the peak
    std::size_t values;         // floats of the largest set of values of one pulse
    std::size_t kept;           // floats of one slot, 0 without slots
    std::int32_t n_slots;
    std::size_t scratch;        // floats that one pulse takes in a recurrent layer
};

// Samples as the caller described them, checked.
struct SampleView {
    const char* data;
    std::size_t n_pulses, n_samples;
    std::ptrdiff_t pulse_stride, sample_stride;
    std::int32_t type;   // discrimen_sample_type
    std::uint32_t mask;  // all bits set: none
};

// What one instruction set offers.
struct Kernels {
    const char* name;
    std::int32_t block;  // pulses computed at once
    void (*classify)(const NetworkPlan&, const SampleView&, float* workspace, float* scores);
    double (*multiply_adds)(std::size_t n_rounds);  // runs them on registers alone; returns how many there were
};

}  // namespace discrimen
