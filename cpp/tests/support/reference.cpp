#include "reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
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

double hard_sigmoid(double x) { return std::min(std::max(x + 3, 0.0), 6.0) / 6; }

double activated(int activation, double x) {
    const double sigmoid = 1 / (1 + std::exp(-x));
    const double softplus = std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
    switch (activation) {
        case frozen::linear: return x;
        case frozen::relu: return x > 0 ? x : 0;
        case frozen::tanh: return std::tanh(x);
        case frozen::sigmoid: return sigmoid;
        case frozen::elu: return x > 0 ? x : std::expm1(x);
        case frozen::gelu: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
        case frozen::silu: return x * sigmoid;
        case frozen::relu6: return std::min(std::max(x, 0.0), 6.0);
        case frozen::selu: return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x));
        case frozen::softplus: return softplus;
        case frozen::mish: return x * std::tanh(softplus);
        case frozen::hard_sigmoid: return hard_sigmoid(x);
        case frozen::exponential: return std::exp(x);
        case frozen::softsign: return x / (1 + std::abs(x));
        case frozen::hard_silu: return x * hard_sigmoid(x);
        case frozen::gelu_tanh: return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
        case frozen::square_root: return std::sqrt(std::max(x, 0.0));
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
    if (padding == frozen::causal) return {out, reach - 1};
    return {out, std::max(0, (out - 1) * stride + reach - steps) / 2};
}

double weight(const Array& array, int i, int j) {
    return array.values[std::size_t(i) * array.shape[1] + std::size_t(j)];
}

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
    const int groups = layer.options[4], inputs = in.channels / groups, outputs = int(kernel.shape[2]) / groups;
    const Places place = places(in.steps, (length - 1) * dilation + 1, stride, layer.options[3]);
    Values out = filled(place.steps, layer.arrays[1]);
    for (int step = 0; step < out.steps; ++step)
        for (int tap = 0; tap < length; ++tap) {
            const int from = step * stride + tap * dilation - place.front;
            if (from < 0 || from >= in.steps) continue;
            for (int c = 0; c < inputs; ++c)
                for (int o = 0; o < out.channels; ++o)
                    out.at(step, o) += in.at(from, o / outputs * inputs + c) * weight(kernel, tap, c, o);
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

double gate_of(const Layer& layer, double x) {
    return activated(layer.options[1] ? frozen::hard_sigmoid : frozen::sigmoid, x);
}

void lstm_step(const Layer& layer, const double* x, std::vector<double>& state, std::vector<double>& cell) {
    const std::size_t n = state.size();
    const std::vector<double> from_x = gates(x, layer.arrays[0], &layer.arrays[2]);
    const std::vector<double> from_state = gates(state.data(), layer.arrays[1], nullptr);
    const auto gate = [&](std::size_t which, std::size_t unit) {
        return from_x[which * n + unit] + from_state[which * n + unit];
    };
    for (std::size_t unit = 0; unit < n; ++unit) {
        cell[unit] =
            gate_of(layer, gate(1, unit)) * cell[unit] + gate_of(layer, gate(0, unit)) * std::tanh(gate(2, unit));
        state[unit] = gate_of(layer, gate(3, unit)) * std::tanh(cell[unit]);
    }
}

void gru_step(const Layer& layer, const double* x, std::vector<double>& state) {
    const std::size_t n = state.size();
    const std::vector<double> from_x = gates(x, layer.arrays[0], &layer.arrays[2]);
    std::vector<double> from_state = gates(state.data(), layer.arrays[1], &layer.arrays[3]), through = state;
    for (std::size_t unit = 0; unit < n; ++unit)
        through[unit] *= gate_of(layer, from_x[n + unit] + from_state[n + unit]);
    const std::vector<double> from_through = gates(through.data(), layer.arrays[1], &layer.arrays[3]);
    for (std::size_t unit = 0; unit < n; ++unit) {
        const double update = gate_of(layer, from_x[unit] + from_state[unit]);
        const double reset = gate_of(layer, from_x[n + unit] + from_state[n + unit]);
        const double candidate = layer.options[2] ? std::tanh(from_x[2 * n + unit] + reset * from_state[2 * n + unit])
                                                  : std::tanh(from_x[2 * n + unit] + from_through[2 * n + unit]);
        state[unit] = update * state[unit] + (1 - update) * candidate;
    }
}

void simple_step(const Layer& layer, const double* x, std::vector<double>& state) {
    const std::vector<double> from_x = gates(x, layer.arrays[0], &layer.arrays[2]);
    const std::vector<double> from_state = gates(state.data(), layer.arrays[1], nullptr);
    for (std::size_t unit = 0; unit < state.size(); ++unit)
        state[unit] = activated(layer.options[1], from_x[unit] + from_state[unit]);
}

Values recurrent(const Layer& layer, const Values& in) {
    const std::size_t units = layer.arrays[1].shape[0];
    std::vector<double> state(units), cell(units), outputs;
    for (int step = 0; step < in.steps; ++step) {
        const double* x = in.data.data() + step * in.channels;
        if (layer.code == frozen::lstm)
            lstm_step(layer, x, state, cell);
        else if (layer.code == frozen::gru)
            gru_step(layer, x, state);
        else
            simple_step(layer, x, state);
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

Values sum(const std::vector<Values>& in) {
    Values out = in[0];
    for (std::size_t k = 1; k < in.size(); ++k)
        for (std::size_t i = 0; i < out.data.size(); ++i) out.data[i] += in[k].data[i];
    return out;
}

Values product(const std::vector<Values>& in) {
    Values out = in[0];
    for (const Values& values : in)
        if (values.steps > 0) out = {values.steps, values.channels, {}};
    out.data.assign(std::size_t(out.rows() * out.channels), 1.0);
    for (const Values& values : in)
        for (int row = 0; row < out.rows(); ++row)
            for (int c = 0; c < out.channels; ++c) out.at(row, c) *= values.at(values.steps == 0 ? 0 : row, c);
    return out;
}

Values joined(bool along_steps, const std::vector<Values>& in) {
    Values out = {in[0].steps, in[0].channels, {}};
    if (along_steps) {
        out.steps = 0;
        for (const Values& values : in) {
            out.steps += values.steps;
            out.data.insert(out.data.end(), values.data.begin(), values.data.end());
        }
        return out;
    }
    out.channels = 0;
    for (const Values& values : in) out.channels += values.channels;
    for (int row = 0; row < out.rows(); ++row)
        for (const Values& values : in)
            for (int c = 0; c < values.channels; ++c) out.data.push_back(values.at(row, c));
    return out;
}

// Steps `first` to `last` of the input, zeros where there are none.
Values steps_of(const Values& in, int first, int last) {
    Values out = {last - first, in.channels, {}};
    for (int step = first; step < last; ++step)
        for (int c = 0; c < in.channels; ++c) out.data.push_back(step >= 0 && step < in.steps ? in.at(step, c) : 0.0);
    return out;
}

Values turned(bool transposed, const Values& in) {
    Values out = transposed ? Values{in.channels, in.steps, in.data} : in;
    for (int step = 0; step < in.steps; ++step)
        for (int c = 0; c < in.channels; ++c)
            (transposed ? out.at(c, step) : out.at(in.steps - 1 - step, c)) = in.at(step, c);
    return out;
}

Values prelu(const Layer& layer, Values in) {
    const std::vector<float>& slopes = layer.arrays[0].values;
    for (std::size_t i = 0; i < in.data.size(); ++i)
        if (!(in.data[i] > 0)) in.data[i] *= slopes[i % slopes.size()];
    return in;
}

Values layer_norm(const Layer& layer, Values in) {
    for (int row = 0; row < in.rows(); ++row) {
        double mean = 0, variance = 0;
        for (int c = 0; c < in.channels; ++c) mean += in.at(row, c) / in.channels;
        for (int c = 0; c < in.channels; ++c) variance += std::pow(in.at(row, c) - mean, 2) / in.channels;
        for (int c = 0; c < in.channels; ++c)
            in.at(row, c) = (in.at(row, c) - mean) / std::sqrt(variance + layer.arrays[2].values[0]) *
                                layer.arrays[0].values[std::size_t(c)] +
                            layer.arrays[1].values[std::size_t(c)];
    }
    return in;
}

Values attention(int heads, const Values& query, const Values& key, const Values& value) {
    const int d = query.channels / heads, e = value.channels / heads;
    Values out = {query.steps, value.channels, std::vector<double>(std::size_t(query.steps * value.channels))};
    for (int step = 0; step < query.steps; ++step)
        for (int head = 0; head < heads; ++head) {
            Values weights = {0, key.steps, {}};
            for (int from = 0; from < key.steps; ++from) {
                double sum = 0;
                for (int c = head * d; c < (head + 1) * d; ++c) sum += query.at(step, c) * key.at(from, c);
                weights.data.push_back(sum);
            }
            weights = activate(frozen::softmax, weights);
            for (int from = 0; from < key.steps; ++from)
                for (int c = head * e; c < (head + 1) * e; ++c)
                    out.at(step, c) += weights.at(0, from) * value.at(from, c);
        }
    return out;
}

}  // namespace

Values apply(const Layer& layer, const std::vector<Values>& inputs) {
    const std::vector<std::int32_t>& options = layer.options;
    const Values& in = inputs[0];
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
        case frozen::gru:
        case frozen::simple_rnn: return recurrent(layer, in);
        case frozen::activate: return activate(options[0], in);
        case frozen::conv1d_transpose: return conv1d_transpose(layer, in);
        case frozen::up_sampling: return repeated(options[0], in);
        case frozen::add: return sum(inputs);
        case frozen::multiply: return product(inputs);
        case frozen::concatenate: return joined(options[0] == 1, inputs);
        case frozen::permute: return turned(true, in);
        case frozen::reverse: return turned(false, in);
        case frozen::prelu: return prelu(layer, in);
        case frozen::layer_norm: return layer_norm(layer, in);
        case frozen::zero_padding: return steps_of(in, -options[0], in.steps + options[1]);
        case frozen::cropping: return steps_of(in, options[0], in.steps - options[1]);
        case frozen::attention: return attention(options[0], in, inputs[1], inputs[2]);
        case frozen::sample: return in;
    }
    throw std::logic_error("no such layer");
}

namespace {

// The records of a pulse above their baselines.
std::vector<std::vector<double>> above_baselines(const frozen::Preparation& p, const std::vector<double>& samples,
                                                 const Present& present, std::vector<double>& baselines) {
    const std::size_t n_samples = samples.size() / std::size_t(p.n_channels());
    std::vector<std::vector<double>> above;
    for (int c = 0; c < p.n_channels(); ++c) {
        const double* record = samples.data() + std::size_t(c) * n_samples;
        const frozen::Channel& channel = p.channel(c);
        double baseline = 0;
        for (int i = channel.baseline_start; i < channel.baseline_stop; ++i) baseline += record[i];
        if (channel.baseline_stop > channel.baseline_start) baseline /= channel.baseline_stop - channel.baseline_start;
        const bool there = present.empty() || present[std::size_t(c)];
        baselines.push_back(there ? baseline : 0);
        above.emplace_back();
        for (std::size_t i = 0; i < n_samples; ++i) above.back().push_back(channel.polarity * (record[i] - baseline));
    }
    return above;
}

double highest_of(const std::vector<double>& values) {
    double highest = -std::numeric_limits<double>::infinity();
    for (const double value : values) {
        if (!std::isfinite(value)) return std::nan("");
        highest = std::max(highest, value);
    }
    return highest;
}

// The reference, or of the records that are there the one with the highest value; -1: none. `margin`: how far the next
// one is below it.
int reference_of(int wanted, const std::vector<std::vector<double>>& records, const Present& present, double& margin) {
    int reference = -1;
    for (int c = 0; c < int(records.size()); ++c) {
        const bool there = present.empty() || present[std::size_t(c)];
        if (!there || (wanted >= 0 && c != wanted)) continue;
        const double highest = highest_of(records[std::size_t(c)]);
        if (reference < 0) {
            reference = c;
            continue;
        }
        const double before = highest_of(records[std::size_t(reference)]);
        margin = std::min(margin, std::abs(highest - before) / std::max(std::abs(before), 1e-300));
        if (highest > before) reference = c;
    }
    return reference;
}

std::vector<double> window_of(const frozen::Preparation& p, const std::vector<double>& above, double start) {
    std::vector<double> window;
    for (int i = 0; i < p.window_length; ++i) {
        const double place = std::floor(start) + i, share = p.interpolate ? start - std::floor(start) : 0;
        const double here = sample_or_baseline(above, place), next = sample_or_baseline(above, place + 1);
        window.push_back(share == 0 ? here : here + share * (next - here));
    }
    return window;
}

}  // namespace

Prepared prepare(const frozen::Preparation& p, const std::vector<double>& samples, const Present& present) {
    Prepared prepared = {false, std::vector<double>(std::size_t(p.window_length * p.n_channels())), 1, 0, 0, 1, {}};
    const auto above = above_baselines(p, samples, present, prepared.baselines);
    int reference = reference_of(p.reference, above, present, prepared.margin);
    if (reference < 0) return prepared;
    if (p.aligned) {
        if (p.reference < 0)
            for (std::size_t c = 0; c < above.size(); ++c)
                if ((present.empty() || present[c]) && std::isnan(highest_of(above[c]))) return prepared;
        const Crossing crossing = crossing_of(above[std::size_t(reference)], p.fraction);
        prepared.margin = std::min(prepared.margin, crossing.margin);
        if (!crossing.found) return prepared;
        const double start = crossing.place - p.position;
        prepared.start = p.interpolate ? start : std::floor(start);
    }
    std::vector<std::vector<double>> windows;
    for (int c = 0; c < p.n_channels(); ++c) {
        const bool there = present.empty() || present[std::size_t(c)];
        windows.push_back(there ? window_of(p, above[std::size_t(c)], prepared.start + p.channel(c).window_start)
                                : std::vector<double>(std::size_t(p.window_length)));
        if (std::isnan(highest_of(windows.back()))) return prepared;
    }
    reference = reference_of(p.reference, windows, present, prepared.margin);
    double sum = 0;
    for (const double value : windows[std::size_t(reference)]) sum += value;
    prepared.peak_adc = highest_of(windows[std::size_t(reference)]);
    if (p.scale != frozen::none) {
        prepared.divisor = p.scale == frozen::peak ? prepared.peak_adc : sum;
        if (!(prepared.peak_adc > 0 && prepared.divisor > 0)) return prepared;
    }
    prepared.valid = true;
    for (std::size_t c = 0; c < windows.size(); ++c)
        for (std::size_t i = 0; i < windows[c].size(); ++i)
            prepared.window[c * windows[c].size() + i] = windows[c][i] / prepared.divisor;
    return prepared;
}

std::vector<Values> run(const frozen::Content& content, const std::vector<double>& window) {
    std::vector<Values> values = {{content.preparation.n_channels(), content.preparation.window_length, window}};
    for (std::size_t i = 0; i < content.layers.size(); ++i) {
        std::vector<Values> inputs;
        for (const std::uint32_t input : content.inputs_of(i)) inputs.push_back(values[input]);
        values.push_back(apply(content.layers[i], inputs));
    }
    return values;
}

std::vector<std::vector<double>> results(const frozen::Content& content, const std::vector<double>& samples,
                                         const Present& present, bool raw) {
    const Prepared prepared = prepare(content.preparation, samples, present);
    const std::vector<Values> values = run(content, prepared.window);
    std::vector<std::vector<double>> all;
    for (const frozen::Output& output : content.outputs) {
        const Values& value = values[content.value_of(output)];
        all.push_back(raw ? value.data : activate(output.activation, value).data);
        if (!prepared.valid) all.back().assign(value.data.size(), std::nan(""));
    }
    return all;
}

std::vector<double> scores(const frozen::Content& content, const std::vector<double>& samples) {
    return results(content, samples)[0];
}

}  // namespace reference
