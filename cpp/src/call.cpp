// What a caller hands over, checked before the kernels see it.
#include <algorithm>
#include <cstring>
#include <limits>

#include "loaded_model.hpp"

namespace discrimen {
namespace {

// A caller's struct, which may be that of an older header: members beyond its size are 0, in a copy of it. The usual
// case is read where it lies. `required`: bytes up to the end of the last member that was always there. Null: of a
// wrong size.
template <class Struct>
const Struct* complete(const Struct& given, std::size_t required, Struct& copy) noexcept {
    if (given.size == sizeof copy) return &given;
    if (given.size < required || given.size > sizeof copy) return nullptr;
    std::memset(&copy, 0, sizeof copy);
    std::memcpy(&copy, &given, given.size);
    return &copy;
}

constexpr std::size_t required_of_pulses = offsetof(Pulses, type) + sizeof(discrimen_sample_type);
constexpr std::size_t required_of_results = offsetof(Results, outputs) + sizeof(float* const*);

bool all_there(const Pulses& pulses, std::size_t n_channels) noexcept {
    for (std::size_t pulse = 0; pulse < pulses.n_pulses; ++pulse) {
        const std::uint8_t* row = pulses.present + std::ptrdiff_t(pulse) * pulses.present_stride;
        for (std::size_t channel = 0; channel < n_channels; ++channel)
            if (!row[channel]) return false;
    }
    return true;
}

// Checks the pulses and says where the kernels find them.
Status view_of(const LoadedModel& model, const Pulses& given, SampleView& view) noexcept {
    const PreparationPlan& plan = model.network.plan().preparation;
    Pulses copy;
    const Pulses* whole = complete(given, required_of_pulses, copy);
    if (!whole) return DISCRIMEN_WRONG_SIZE;
    const Pulses& pulses = *whole;
    view.n_pulses = pulses.n_pulses;
    if (pulses.n_pulses == 0) return DISCRIMEN_OK;
    if (!pulses.samples) return DISCRIMEN_NULL_ARGUMENT;
    if (pulses.n_samples < std::size_t(plan.shortest_record)) return DISCRIMEN_RECORD_TOO_SHORT;
    std::int32_t type;  // a caller in C may have put any number there
    static_assert(sizeof type == sizeof pulses.type);
    std::memcpy(&type, &pulses.type, sizeof type);
    if (type < DISCRIMEN_INT16 || type > DISCRIMEN_FLOAT32) return DISCRIMEN_UNKNOWN_TYPE;
    const auto n_channels = std::size_t(plan.n_channels);
    if (std::max<std::size_t>(pulses.n_channels, 1) != n_channels) return DISCRIMEN_WRONG_CHANNELS;
    view.present = pulses.present;
    if (pulses.present && !plan.masked) {
        if (!all_there(pulses, n_channels)) return DISCRIMEN_CHANNEL_ABSENT;
        view.present = nullptr;
    }
    view.data = static_cast<const char*>(pulses.samples);
    view.n_samples = std::min(pulses.n_samples, std::size_t(std::numeric_limits<std::int32_t>::max()));
    view.pulse_stride = pulses.pulse_stride;
    view.sample_stride = pulses.sample_stride;
    view.channel_stride = pulses.channel_stride;
    view.present_stride = pulses.present_stride;
    view.type = type;
    view.bits = pulses.bits == 0 ? ~std::uint32_t(0) : pulses.bits;
    return DISCRIMEN_OK;
}

Status run_to(const LoadedModel& model, const Pulses& pulses, void* workspace, const Targets& targets) noexcept {
    SampleView view;
    const Status status = view_of(model, pulses, view);
    if (status != DISCRIMEN_OK || view.n_pulses == 0) return status;
    if (!workspace) return DISCRIMEN_NULL_ARGUMENT;
    if (model.gpu) return model.gpu->run(workspace, view, targets);
    model.kernels.run(model.network.plan(), view, static_cast<float*>(workspace), targets);
    return DISCRIMEN_OK;
}

}  // namespace

Status run(const LoadedModel& model, const Pulses& pulses, void* workspace, const Results& given) noexcept {
    Results copy;
    const Results* results = complete(given, required_of_results, copy);
    if (!results) return DISCRIMEN_WRONG_SIZE;
    if (results->outside && !model.network.plan().domain.known) return DISCRIMEN_UNKNOWN_DOMAIN;
    if (results->height_adc && model.network.plan().preparation.n_channels != 1) return DISCRIMEN_NO_HEIGHT;
    return run_to(model, pulses, workspace,
                  {results->outputs, -1, nullptr, results->restoration, results->seed, false, results->outside,
                   results->height_adc});
}

Status classify(const LoadedModel& model, const Pulses& pulses, void* workspace, float* scores) noexcept {
    if (model.classes == model.outputs.size()) return DISCRIMEN_NO_CLASSES;
    if (!scores && pulses.size >= required_of_pulses && pulses.n_pulses > 0) return DISCRIMEN_NULL_ARGUMENT;
    return run_to(model, pulses, workspace,
                  {nullptr, std::int32_t(model.classes), scores, nullptr, 0, false, nullptr, nullptr});
}

Status run_raw(const LoadedModel& model, const Pulses& pulses, void* workspace, float* const* outputs) noexcept {
    return run_to(model, pulses, workspace, {outputs, -1, nullptr, nullptr, 0, true, nullptr, nullptr});
}

}  // namespace discrimen
