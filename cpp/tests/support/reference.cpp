#include "reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

namespace reference {
namespace {

using frozen::Array;
using frozen::Layer;

struct Crossing {
    bool found;
    double place, margin;
};

// Walks back from the highest sample to the last one below the threshold, and interpolates between it and the next.
Crossing crossing_of(const std::vector<double>& above, double fraction) {
    std::size_t peak_at = 0;
    for (std::size_t i = 0; i < above.size(); ++i) {
        if (!std::isfinite(above[i])) return {false, 0, 1};
        if (above[i] > above[peak_at]) peak_at = i;
    }
    const double peak = above[peak_at], threshold = fraction * peak;
    double margin = 1;
    if (!(peak > 0)) return {false, 0, 1};
    for (std::size_t i = peak_at; i-- > 0;) {
        margin = std::min(margin, std::abs(above[i] - threshold) / peak);
        if (above[i] < threshold) {
            const double place = double(i) + (threshold - above[i]) / (above[i + 1] - above[i]);
            return {true, place, std::min(margin, std::abs(place - std::round(place)))};
        }
    }
    return {false, 0, margin};
}

double sample_or_baseline(const std::vector<double>& above, double place) {
    return place >= 0 && place < double(above.size()) ? above[std::size_t(place)] : 0.0;
}

double activated(int activation, double x) {
    const double sigmoid = 1 / (1 + std::exp(-x));
    switch (activation) {
        case frozen::linear: return x;
        case frozen::relu: return x > 0 ? x : 0;
        case frozen::tanh: return std::tanh(x);
        case frozen::sigmoid: return sigmoid;
        case frozen::elu: return x > 0 ? x : std::expm1(x);
        case frozen::gelu: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
        case frozen::silu: return x * sigmoid;
    }
    throw std::logic_error("no such activation");
}

Values activate(int activation, Values values) {
    if (activation != frozen::softmax) {
        for (double& value : values.data) value = activated(activation, value);
        return values;
    }
    for (int row = 0; row < values.rows(); ++row) {
        double highest = values.at(row, 0), sum = 0;
        for (int c = 0; c < values.channels; ++c) highest = std::max(highest, values.at(row, c));
        for (int c = 0; c < values.channels; ++c) sum += std::exp(values.at(row, c) - highest);
        for (int c = 0; c < values.channels; ++c) values.at(row, c) = std::exp(values.at(row, c) - highest) / sum;
    }
    return values;
}

// Output steps, and the zeros in front.
struct Places {
    int steps, front;
};

Places places(int steps, int reach, int stride, int padding) {
    if (padding == frozen::valid) return {(steps - reach) / stride + 1, 0};
    const int out = (steps + stride - 1) / stride;
    return {out, std::max(0, (out - 1) * stride + reach - steps) / 2};
}

double weight(const Array& array, int i, int j) { return array.values[std::size_t(i) * array.shape[1] + std::size_t(j)]; }

double weight(const Array& array, int i, int j, int k) {
    return array.values[(std::size_t(i) * array.shape[1] + std::size_t(j)) * array.shape[2] + std::size_t(k)];
}

Values filled(int steps, const Array& bias) {
    Values out = {steps, int(bias.shape[0]), {}};
    for (int row = 0; row < out.rows(); ++row) out.data.insert(out.data.end(), bias.values.begin(), bias.values.end());
    return out;
}

Values dense(const Layer& layer, const Values& in) {
    Values out = filled(in.steps, layer.arrays[1]);
    for (int row = 0; row < in.rows(); ++row)
        for (int c = 0; c < in.channels; ++c)
            for (int o = 0; o < out.channels; ++o) out.at(row, o) += in.at(row, c) * weight(layer.arrays[0], c, o);
    return activate(layer.options[0], out);
}

Values conv1d(const Layer& layer, const Values& in) {
    const Array& kernel = layer.arrays[0];
    const int length = int(kernel.shape[0]), stride = layer.options[1], dilation = layer.options[2];
    const Places place = places(in.steps, (length - 1) * dilation + 1, stride, layer.options[3]);
    Values out = filled(place.steps, layer.arrays[1]);
    for (int step = 0; step < out.steps; ++step)
        for (int tap = 0; tap < length; ++tap) {
            const int from = step * stride + tap * dilation - place.front;
            if (from < 0 || from >= in.steps) continue;
            for (int c = 0; c < in.channels; ++c)
                for (int o = 0; o < out.channels; ++o) out.at(step, o) += in.at(from, c) * weight(kernel, tap, c, o);
        }
    return activate(layer.options[0], out);
}

Values conv1d_transpose(const Layer& layer, const Values& in) {
    const Array& kernel = layer.arrays[0];
    const int length = int(kernel.shape[0]), stride = layer.options[1];
    Values whole = filled((in.steps - 1) * stride + std::max(length, stride), layer.arrays[1]);
    for (int step = 0; step < in.steps; ++step)
        for (int tap = 0; tap < length; ++tap)
            for (int c = 0; c < in.channels; ++c)
                for (int o = 0; o < whole.channels; ++o)
                    whole.at(step * stride + tap, o) += in.at(step, c) * weight(kernel, tap, o, c);
    if (layer.options[2] == frozen::same) {
        const auto cut_off = whole.data.begin() + std::max(0, length - stride) / 2 * whole.channels;
        whole.steps = in.steps * stride;
        whole.data = std::vector<double>(cut_off, cut_off + whole.steps * whole.channels);
    }
    return activate(layer.options[0], whole);
}

Values pool(bool largest, int size, int stride, int padding, const Values& in) {
    const Places place = places(in.steps, size, stride, padding);
    Values out = {place.steps, in.channels, std::vector<double>(std::size_t(place.steps * in.channels))};
    for (int step = 0; step < out.steps; ++step)
        for (int c = 0; c < in.channels; ++c) {
            double highest = -std::numeric_limits<double>::infinity(), sum = 0;
            int count = 0;
            for (int from = step * stride - place.front; from < step * stride - place.front + size; ++from) {
                if (from < 0 || from >= in.steps) continue;
                highest = std::max(highest, in.at(from, c));
                sum += in.at(from, c);
                ++count;
            }
            out.at(step, c) = largest ? highest : sum / count;
        }
    return out;
}

// x @ kernel + bias of one row.
std::vector<double> gates(const double* x, const Array& kernel, const Array* bias) {
    std::vector<double> sums(kernel.shape[1]);
    for (std::size_t j = 0; j < sums.size(); ++j) {
        if (bias) sums[j] = bias->values[j];
        for (std::uint32_t i = 0; i < kernel.shape[0]; ++i) sums[j] += x[i] * weight(kernel, int(i), int(j));
    }
    return sums;
}

double sigmoid(double x) { return activated(frozen::sigmoid, x); }

void lstm_step(const Layer& layer, const double* x, std::vector<double>& state, std::vector<double>& cell) {
    const std::size_t n = state.size();
    const std::vector<double> from_x = gates(x, layer.arrays[0], &layer.arrays[2]);
    const std::vector<double> from_state = gates(state.data(), layer.arrays[1], nullptr);
    const auto gate = [&](std::size_t which, std::size_t unit) {
        return from_x[which * n + unit] + from_state[which * n + unit];
    };
    for (std::size_t unit = 0; unit < n; ++unit) {
        cell[unit] = sigmoid(gate(1, unit)) * cell[unit] + sigmoid(gate(0, unit)) * std::tanh(gate(2, unit));
        state[unit] = sigmoid(gate(3, unit)) * std::tanh(cell[unit]);
    }
}

void gru_step(const Layer& layer, const double* x, std::vector<double>& state) {
    const std::size_t n = state.size();
    const std::vector<double> from_x = gates(x, layer.arrays[0], &layer.arrays[2]);
    const std::vector<double> from_state = gates(state.data(), layer.arrays[1], &layer.arrays[3]);
    for (std::size_t unit = 0; unit < n; ++unit) {
        const double update = sigmoid(from_x[unit] + from_state[unit]);
        const double reset = sigmoid(from_x[n + unit] + from_state[n + unit]);
        const double candidate = std::tanh(from_x[2 * n + unit] + reset * from_state[2 * n + unit]);
        state[unit] = update * state[unit] + (1 - update) * candidate;
    }
}

Values recurrent(const Layer& layer, const Values& in) {
    const std::size_t units = layer.arrays[1].shape[0];
    std::vector<double> state(units), cell(units), outputs;
    for (int step = 0; step < in.steps; ++step) {
        const double* x = in.data.data() + step * in.channels;
        if (layer.code == frozen::lstm)
            lstm_step(layer, x, state, cell);
        else
            gru_step(layer, x, state);
        outputs.insert(outputs.end(), state.begin(), state.end());
    }
    if (layer.options[0]) return {in.steps, int(units), outputs};
    return {0, int(units), state};
}

Values repeated(int times, const Values& in) {
    Values out = {in.steps * times, in.channels, {}};
    for (int step = 0; step < out.steps; ++step)
        for (int c = 0; c < in.channels; ++c) out.data.push_back(in.at(step / times, c));
    return out;
}

Values apply(const Layer& layer, const Values& in, std::map<int, Values>& kept) {
    const std::vector<std::int32_t>& options = layer.options;
    switch (layer.code) {
        case frozen::dense: return dense(layer, in);
        case frozen::conv1d: return conv1d(layer, in);
        case frozen::max_pooling: return pool(true, options[0], options[1], options[2], in);
        case frozen::average_pooling: return pool(false, options[0], options[1], options[2], in);
        case frozen::global_max_pooling: return {0, in.channels, pool(true, in.steps, 1, 0, in).data};
        case frozen::global_average_pooling: return {0, in.channels, pool(false, in.steps, 1, 0, in).data};
        case frozen::flatten: return {0, int(in.data.size()), in.data};
        case frozen::reshape: return {options[0], options[1], in.data};
        case frozen::lstm:
        case frozen::gru: return recurrent(layer, in);
        case frozen::activate: return activate(options[0], in);
        case frozen::conv1d_transpose: return conv1d_transpose(layer, in);
        case frozen::up_sampling: return repeated(options[0], in);
        case frozen::keep: return kept[options[0]] = in;
        case frozen::add_kept: {
            Values sum = in;
            for (std::size_t i = 0; i < sum.data.size(); ++i) sum.data[i] += kept.at(options[0]).data[i];
            return sum;
        }
    }
    throw std::logic_error("no such layer");
}

}  // namespace

Prepared prepare(const frozen::Preparation& p, const std::vector<double>& samples) {
    double baseline = 0;
    for (int i = p.baseline_start; i < p.baseline_stop; ++i) baseline += samples[std::size_t(i)];
    baseline /= p.baseline_stop - p.baseline_start;
    std::vector<double> above;
    for (const double sample : samples) above.push_back(p.polarity * (sample - baseline));

    Prepared prepared = {true, std::vector<double>(std::size_t(p.window_length)), 1, 0};
    double start = p.window_start;
    if (p.aligned) {
        const Crossing crossing = crossing_of(above, p.fraction);
        prepared.margin = crossing.margin;
        prepared.valid = crossing.found;
        start = crossing.place - p.position;
    }
    double highest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int i = 0; i < p.window_length && prepared.valid; ++i) {
        const double place = std::floor(start) + i, share = p.interpolate ? start - std::floor(start) : 0;
        const double here = sample_or_baseline(above, place), next = sample_or_baseline(above, place + 1);
        const double value = share == 0 ? here : here + share * (next - here);
        prepared.window[std::size_t(i)] = value;
        prepared.valid = std::isfinite(value);
        highest = std::max(highest, value);
        sum += value;
    }
    const double divisor = p.scale == frozen::peak ? highest : p.scale == frozen::area ? sum : 1;
    prepared.peak_adc = highest;
    prepared.valid = prepared.valid && highest > 0 && divisor > 0;
    for (double& value : prepared.window) value = prepared.valid ? value / divisor : 0;
    return prepared;
}

Values run(const std::vector<Layer>& layers, const std::vector<double>& window) {
    Values values = {0, int(window.size()), window};
    std::map<int, Values> kept;
    for (const Layer& layer : layers) values = apply(layer, values, kept);
    return values;
}

std::vector<double> scores(const frozen::Content& content, const std::vector<double>& samples) {
    const Prepared prepared = prepare(content.preparation, samples);
    if (!prepared.valid) return std::vector<double>(content.classes.size(), std::nan(""));
    return run(content.layers, prepared.window).data;
}

}  // namespace reference
