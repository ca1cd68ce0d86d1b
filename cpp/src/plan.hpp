// What the kernels compute: a preparation, a list of operations and outputs, as plain data.
//
// Nothing here has a function: these headers are compiled once for each instruction set, and an inline function in
// common would let the linker pick the copy that uses instructions which the machine lacks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "layers/names.hpp"

namespace discrimen {

// Numbers of the activations in the file; never given anew.
enum class Activation : std::int32_t {
    linear,
    relu,
    tanh,
    sigmoid,
    elu,
    gelu,
    silu,
    softmax,
    relu6,
    selu,
    softplus,
    mish,
    hard_sigmoid,
    exponential,
    softsign,
    hard_silu,
    gelu_tanh,
    sqrt,
};
constexpr std::int32_t n_activations = 18;

enum class Scale : std::int32_t { none, peak, area };

struct ChannelPlan {
    float polarity;                              // +1 or -1
    std::int32_t baseline_start, baseline_stop;  // equal: the baseline is 0
    std::int32_t window_start;
};

struct PreparationPlan {
    const ChannelPlan* channels;
    std::int32_t n_channels, window_length;
    std::int32_t reference;  // channel that time and scale come from; -1: the highest of each pulse
    bool aligned, interpolate, masked;
    std::int32_t position;
    float fraction;
    Scale scale;
    std::int32_t shortest_record;
};

constexpr int most_ranges = 8, most_rows = 32, most_components = 4;  // of a domain

// What pulses the model has seen. Limits are by range of height; places behind the last range repeat it.
struct DomainPlan {
    bool known, one_edge;   // the same samples of the edge for all ranges
    float lowest, highest;  // heights in ADC counts
    float quiet;            // noise alone never spreads so far in the baseline window
    float clipped_from;     // upwards: what a clipped pulse reaches
    std::int32_t n_ranges, n_rows, n_components;
    std::int32_t first_edge, last_edge;  // of all ranges
    float begins[most_ranges];           // heights; the first is not looked at
    float least_spread[most_ranges], most_spread[most_ranges];
    float edge_after[most_ranges], edge_until[most_ranges];
    float least_square[most_ranges], most_square[most_ranges];  // sums over the rows
    std::int32_t rows[most_rows];
    float weight[most_rows], offset[most_rows];  // a sample in units of the height, times weight, less offset
    float components[most_rows][most_components];
};

enum class Kind : std::int32_t {
#define DISCRIMEN_KIND(name) name,
    DISCRIMEN_OPERATIONS(DISCRIMEN_KIND)
#undef DISCRIMEN_KIND
};

// Weights of outputs are padded with zeros to whole cache lines, so that a vector of any width may be loaded.
constexpr int pad_to = 16;

constexpr int most_inputs = 3;  // of one operation

// Values of a pulse are (step, channel), a row of values is one step. Within a block of pulses the pulse is innermost.
// Places are offsets in the workspace, in floats of one pulse.
struct Operation {
    Kind kind;
    Activation activation;
    std::size_t in[most_inputs], out;
    std::int32_t steps_in, channels_in, steps_out, channels_out;
    std::int32_t length, stride, dilation, pad_front;  // convolutions; pools, with length as size
    std::int32_t groups;                               // grouped; heads of attention
    std::int32_t steps_other, channels_other;          // attention: of its values
    std::int32_t first, direction, count;              // place: steps that are read, and in which order
    std::int32_t to_step, to_channel;                  // place: where they go
    std::int32_t layer;                                // number of the layer in the file
    bool sequences, hard_gates, reset_after;           // recurrent
    std::int32_t pitch;                                // floats from one row of weights to the next
    float epsilon;                                     // layer_norm
    const float* weights;  // convolutions: (length, channel in, pitch); lstm, gru: (channel + unit, gate, unit)
    const float* bias;     // lstm: (4, unit); gru: (4, unit), the last one inside the reset
};

struct OutputPlan {
    std::size_t place;  // of its value
    std::int32_t steps, channels, n_values;
    Activation activation;
    bool in_place;  // nothing reads the value after this output
};

struct NetworkPlan {
    PreparationPlan preparation;
    const Operation* operations;
    std::int32_t n_operations;
    const OutputPlan* outputs;
    std::int32_t n_outputs;
    bool first_can_scale;  // the first operation is a Dense on the whole input: it can divide by the peak
    std::size_t input;     // place of the prepared input
    std::size_t values;    // floats of all values of one pulse that live at a time: their buffers
    std::size_t scratch;   // floats of one pulse behind them, for an operation's own use
    DomainPlan domain;
};

// Samples as the caller described them, checked.
struct SampleView {
    const char* data;
    std::size_t n_pulses, n_samples;
    std::ptrdiff_t pulse_stride, sample_stride, channel_stride;
    const std::uint8_t* present;  // (pulse, channel); null: all channels are there
    std::ptrdiff_t present_stride;
    std::int32_t type;   // discrimen_sample_type
    std::uint32_t bits;  // that hold the sample; all set: no others
};

// Where results go.
struct Targets {
    float* const* outputs;  // one for each output, or null; null as a whole: none is wanted
    std::int32_t only;      // the one output that is wanted, at `alone`; -1: see `outputs`
    float* alone;
    double* restoration;     // (pulse, 2 + channel): start, divisor, baselines; or null
    std::uint64_t seed;      // 0: no sampling
    bool raw;                // without the outputs' activations
    std::uint16_t* outside;  // (pulse): bits of discrimen_outside; or null
    float* height;           // (pulse): in ADC counts; or null
};

// What one instruction set offers.
struct Kernels {
    const char* name;
    std::int32_t block;  // pulses computed at once
    void (*run)(const NetworkPlan&, const SampleView&, float* workspace, const Targets&);
    double (*multiply_adds)(std::size_t n_rounds);  // runs them on registers alone; returns how many there were
};

}  // namespace discrimen
