#include "discrimen/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>

#include "loaded_model.hpp"

namespace discrimen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int n_repeats = 7;

double ns_since(Clock::time_point start) {
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// The shortest time between two looks at the clock.
double clock_ns() {
    double shortest = 1e9;
    for (int i = 0; i < 10000; ++i) {
        const Clock::time_point start = Clock::now();
        shortest = std::min(shortest, ns_since(start));
    }
    return shortest;
}

}  // namespace

std::vector<double> single_pulse_ns(const discrimen_model* model, const Pulses& pulses, std::size_t n_calls) {
    if (pulses.n_pulses == 0) throw Error("there are no pulses to time");
    discrimen_workspace* workspace = discrimen_workspace_new(model);
    if (!workspace) throw std::bad_alloc();
    // Scores where there are classes, else all that the model says.
    std::vector<std::vector<float>> values;
    std::vector<float*> pointers;
    for (std::size_t i = 0; i < discrimen_n_outputs(model); ++i) {
        discrimen_output output{};
        output.size = sizeof output;
        discrimen_describe_output(model, i, &output);
        values.emplace_back(output.n_values);
    }
    pointers.reserve(values.size());
    for (std::vector<float>& of_output : values) pointers.push_back(of_output.data());
    const Results results = discrimen_results_to(pointers.data());
    std::vector<float> scores(discrimen_n_classes(model));
    std::vector<double> times(n_calls);
    const double own = clock_ns();
    Pulses one = pulses;
    one.n_pulses = 1;
    discrimen_status status = DISCRIMEN_OK;
    for (std::size_t call = 0; call < n_calls; ++call) {
        const auto number = static_cast<std::ptrdiff_t>(call % pulses.n_pulses);
        one.samples = static_cast<const char*>(pulses.samples) + number * pulses.pulse_stride;
        const Clock::time_point start = Clock::now();
        status = scores.empty() ? discrimen_run(model, workspace, &one, &results)
                                : discrimen_classify(model, workspace, &one, scores.data());
        times[call] = std::max(0.0, ns_since(start) - own);
        if (status != DISCRIMEN_OK) break;
    }
    discrimen_workspace_free(workspace);
    if (status != DISCRIMEN_OK) throw Error(discrimen_status_text(status));
    return times;
}

std::vector<double> batch_ns(const Model& model, const Pulses& pulses, bool moved, Buffer::Place place,
                             std::size_t n_calls) {
    const std::size_t size = pulses.n_pulses * std::size_t(pulses.pulse_stride);
    std::vector<std::unique_ptr<Buffer>> buffers;
    std::vector<std::vector<float>> values;
    std::vector<float*> to;
    Pulses asked = pulses;
    if (moved) {
        buffers.push_back(std::make_unique<Buffer>(model, size, place));
        buffers.back()->copy_from(pulses.samples, size);
        asked.samples = buffers.back()->data();
    }
    for (const Output& output : model.outputs()) {
        const std::size_t count = pulses.n_pulses * output.n_values;
        if (moved) {
            buffers.push_back(std::make_unique<Buffer>(model, count * sizeof(float), place));
            to.push_back(static_cast<float*>(buffers.back()->data()));
        } else {
            values.emplace_back(count);
            to.push_back(values.back().data());
        }
    }
    Workspace workspace(model);
    std::vector<double> times;
    for (std::size_t call = 0; call <= n_calls; ++call) {  // one more: the first does not count
        const Clock::time_point start = Clock::now();
        const Status status = model.run(asked, workspace, discrimen_results_to(to.data()));
        const double took = ns_since(start);
        if (status != DISCRIMEN_OK) throw Error(discrimen_status_text(status));
        if (call > 0) times.push_back(took);
    }
    return times;
}

double device_copy_bytes_hz(const Model& model, Buffer::Place from, std::size_t size) {
    const Buffer source(model, size, from);
    Buffer to(model, size, Buffer::device);
    double best = 0;
    for (int i = 0; i < n_repeats; ++i) {
        const Clock::time_point start = Clock::now();
        to.copy_from(source.data(), size);
        best = std::max(best, double(size) / ns_since(start) * 1e9);
    }
    return best;
}

double copy_bytes_hz(std::size_t size) {
    if (size == 0) throw Error("there are no bytes to copy");
    std::vector<char> from(size, 1), to(size, 2);
    double best = 0;
    for (int i = 0; i < n_repeats; ++i) {
        from[std::size_t(i) % size] = char(i);
        const Clock::time_point start = Clock::now();
        std::memcpy(to.data(), from.data(), size);
        const double took = ns_since(start);
        volatile char kept = to[size / 2];
        (void)kept;
        best = std::max(best, 2.0 * double(size) / took * 1e9);
    }
    return best;
}

}  // namespace discrimen
