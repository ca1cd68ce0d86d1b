#include "loaded_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#include "discrimen/model.hpp"

namespace discrimen {
namespace {

constexpr std::size_t alignment = 64;

// The largest difference between the golden scores and those of `pulses`, sent `at_once` at a time.
double worst_difference(const LoadedModel& model, const FrozenGolden& golden, discrimen_pulses pulses,
                        std::size_t at_once, float* workspace, std::vector<float>& scores) {
    const std::size_t n_classes = model.classes.size();
    const char* first = static_cast<const char*>(pulses.samples);
    for (std::size_t done = 0; done < golden.n_pulses; done += at_once) {
        pulses.samples = first + std::ptrdiff_t(done) * pulses.pulse_stride;
        pulses.n_pulses = std::min(at_once, golden.n_pulses - done);
        const discrimen_status status = classify(model, pulses, workspace, scores.data() + done * n_classes);
        if (status != DISCRIMEN_OK) throw Error(discrimen_status_text(status));
    }
    double worst = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const double difference = std::abs(double(scores[i]) - golden.scores[i]);
        if (std::isnan(difference)) return difference;
        worst = std::max(worst, difference);
    }
    return worst;
}

// Blocks and single pulses, of 32 bits and where they fit of 16, must give the scores that the file promises.
void check_golden(const LoadedModel& model, const FrozenGolden& golden) {
    const std::unique_ptr<float, void (*)(float*)> workspace(new_workspace(model), free_workspace);
    if (!workspace) throw Error("no memory for a workspace of " + std::to_string(workspace_bytes(model)) + " bytes");
    std::vector<float> scores(golden.scores.size());
    // Counted from the first sample, where 16 bits hold all and the baseline has no digits to lose: an offset that all
    // samples share changes nothing else.
    std::vector<std::int16_t> short_samples(golden.samples.size());
    bool all_short = true;
    for (std::size_t i = 0; i < golden.samples.size(); ++i) {
        const std::int64_t sample = std::int64_t(golden.samples[i]) - golden.samples[0];
        all_short = all_short && sample >= -32768 && sample <= 32767;
        short_samples[i] = static_cast<std::int16_t>(sample);
    }
    const Pulses as_int32 = contiguous(golden.samples.data(), golden.n_pulses, golden.n_samples);
    const Pulses as_int16 = contiguous(short_samples.data(), golden.n_pulses, golden.n_samples);
    for (const std::size_t at_once : {golden.n_pulses, std::size_t(1)})
        for (const Pulses* pulses : {&as_int32, &as_int16}) {
            if (pulses == &as_int16 && !all_short) continue;
            const double worst = worst_difference(model, golden, *pulses, at_once, workspace.get(), scores);
            if (!(worst <= golden.tolerance))
                throw Error("the model is off its own golden vectors by " + std::to_string(worst) + ", allowed are " +
                            std::to_string(golden.tolerance) + "; freeze it again");
        }
}

}  // namespace

LoadedModel::LoadedModel(FrozenFile&& file, const Kernels& chosen)
    : network(file),
      kernels(chosen),
      classes(std::move(file.classes)),
      thresholds(std::move(file.thresholds)),
      description(std::move(file.description)),
      sample_period_ns(file.preparation.sample_period_ns) {
    check_golden(*this, file.golden);
}

std::size_t workspace_bytes(const LoadedModel& model) noexcept {
    return (model.network.workspace_floats(model.kernels.block) * sizeof(float) + alignment - 1) / alignment * alignment;
}

float* new_workspace(const LoadedModel& model) noexcept {
    void* memory = std::aligned_alloc(alignment, workspace_bytes(model));
    if (memory) std::memset(memory, 0, workspace_bytes(model));
    return static_cast<float*>(memory);
}

void free_workspace(float* memory) noexcept { std::free(memory); }

discrimen_status classify(const LoadedModel& model, const discrimen_pulses& pulses, float* workspace,
                          float* scores) noexcept {
    const NetworkPlan& plan = model.network.plan();
    if (pulses.n_pulses == 0) return DISCRIMEN_OK;
    if (!pulses.samples || !scores || !workspace) return DISCRIMEN_NULL_ARGUMENT;
    if (pulses.n_samples < std::size_t(plan.preparation.shortest_record)) return DISCRIMEN_RECORD_TOO_SHORT;
    std::int32_t type;  // a caller in C may have put any number there
    static_assert(sizeof type == sizeof pulses.type);
    std::memcpy(&type, &pulses.type, sizeof type);
    if (type < DISCRIMEN_INT16 || type > DISCRIMEN_FLOAT32) return DISCRIMEN_UNKNOWN_TYPE;
    SampleView view;
    view.data = static_cast<const char*>(pulses.samples);
    view.n_pulses = pulses.n_pulses;
    view.n_samples = std::min(pulses.n_samples, std::size_t(std::numeric_limits<std::int32_t>::max()));
    view.pulse_stride = pulses.pulse_stride;
    view.sample_stride = pulses.sample_stride;
    view.type = type;
    view.mask = pulses.mask == 0 ? ~std::uint32_t(0) : pulses.mask;
    model.kernels.classify(plan, view, workspace, scores);
    return DISCRIMEN_OK;
}

}  // namespace discrimen
