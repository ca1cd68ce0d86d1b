#include "loaded_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace discrimen {
namespace {

constexpr std::size_t alignment = 64;

std::vector<Output> promised_by(const std::vector<FrozenOutput>& outputs) {
    std::vector<Output> promised;
    promised.reserve(outputs.size());
    for (const FrozenOutput& output : outputs) promised.push_back(output.promised);
    return promised;
}

std::size_t first_of_classes(const std::vector<Output>& outputs) {
    std::size_t number = 0;
    while (number < outputs.size() && outputs[number].kind != DISCRIMEN_CLASSES) ++number;
    return number;
}

std::vector<std::vector<DecisionTable>> tables_of(const std::vector<Output>& outputs) {
    std::vector<std::vector<DecisionTable>> tables(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i)
        for (const Threshold& threshold : outputs[i].thresholds) tables[i].emplace_back(threshold);
    return tables;
}

// Golden samples as one type of sample, and what comes out of them.
class GoldenRun {
   public:
    GoldenRun(const LoadedModel& model, const FrozenFile& file, void* workspace)
        : model_(model), file_(file), workspace_(workspace), pointers_(file.outputs.size()) {
        for (const FrozenOutput& output : file.outputs) got_.emplace_back(output.golden.size());
    }

    // Throws Error if an output is off by more than its tolerance, `at_once` pulses at a time.
    void check(const Pulses& pulses, std::size_t at_once) {
        const std::size_t n_pulses = file_.golden.n_pulses;
        for (std::size_t done = 0; done < n_pulses; done += at_once)
            run(pulses, done, std::min(at_once, n_pulses - done));
        for (std::size_t i = 0; i < got_.size(); ++i) compare(file_.outputs[i], got_[i]);
    }

   private:
    void run(Pulses pulses, std::size_t done, std::size_t n_pulses) {
        pulses.samples = static_cast<const char*>(pulses.samples) + std::ptrdiff_t(done) * pulses.pulse_stride;
        pulses.n_pulses = n_pulses;
        if (pulses.present) pulses.present += std::ptrdiff_t(done) * pulses.present_stride;
        for (std::size_t i = 0; i < got_.size(); ++i)
            pointers_[i] = got_[i].data() + done * file_.outputs[i].promised.n_values;
        const Status status = run_raw(model_, pulses, workspace_, pointers_.data());
        if (status != DISCRIMEN_OK) throw Error(discrimen_status_text(status));
    }

    void compare(const FrozenOutput& output, const std::vector<float>& got) const {
        double worst = 0;
        for (std::size_t i = 0; i < got.size() && !std::isnan(worst); ++i) {
            const double difference = std::abs(double(got[i]) - output.golden[i]);
            worst = std::isnan(difference) ? difference : std::max(worst, difference);
        }
        if (!(worst <= output.tolerance))
            throw Error("the model is off its own golden vectors by " + std::to_string(worst) + " in output '" +
                        output.promised.name + "', allowed are " + std::to_string(output.tolerance) +
                        "; freeze it again");
    }

    const LoadedModel& model_;
    const FrozenFile& file_;
    void* workspace_;
    std::vector<float*> pointers_;
    std::vector<std::vector<float>> got_;
};

// Counted from the first sample, where 16 bits hold all and the baseline has no digits to lose: an offset that all
// samples share changes nothing else. False if they do not fit, or an empty baseline tells offsets apart.
bool shorten(const FrozenFile& file, std::vector<std::int16_t>& short_samples) {
    if (file.golden.is_float) return false;
    std::int64_t offset = file.golden.samples[0];
    for (const FrozenChannel& channel : file.input.channels)
        if (channel.baseline_start == channel.baseline_stop) offset = 0;
    short_samples.resize(file.golden.samples.size());
    for (std::size_t i = 0; i < short_samples.size(); ++i) {
        const std::int64_t sample = file.golden.samples[i] - offset;
        if (sample < -32768 || sample > 32767) return false;
        short_samples[i] = static_cast<std::int16_t>(sample);
    }
    return true;
}

// Blocks and single pulses, of 32 bits and where they fit of 16, must give the values that the file promises.
void check_golden(const LoadedModel& model, const FrozenFile& file) {
    const auto release = [&](void* memory) { free_workspace(model, memory); };
    const std::unique_ptr<void, decltype(release)> workspace(new_workspace(model), release);
    if (!workspace) throw Error("no memory for a workspace of " + std::to_string(workspace_bytes(model)) + " bytes");
    const FrozenGolden& golden = file.golden;
    const std::size_t n_channels = file.input.channels.size();
    Pulses whole = contiguous(golden.samples.data(), golden.n_pulses, n_channels, golden.n_samples);
    if (golden.is_float) whole.type = DISCRIMEN_FLOAT32;
    if (!golden.present.empty()) {
        whole.present = golden.present.data();
        whole.present_stride = std::ptrdiff_t(n_channels);
    }
    GoldenRun golden_run(model, file, workspace.get());
    for (const std::size_t at_once : {golden.n_pulses, std::size_t(1)}) golden_run.check(whole, at_once);
    std::vector<std::int16_t> short_samples;
    if (!shorten(file, short_samples)) return;
    Pulses halved = contiguous(short_samples.data(), golden.n_pulses, n_channels, golden.n_samples);
    halved.present = whole.present;
    halved.present_stride = whole.present_stride;
    for (const std::size_t at_once : {golden.n_pulses, std::size_t(1)}) golden_run.check(halved, at_once);
}

}  // namespace

LoadedModel::LoadedModel(FrozenFile&& file, const Kernels& chosen, const LoadOptions& options)
    : network(file),
      kernels(chosen),
      gpu(cuda::gpu_for(options.device, network)),
      channel_names(file.input.names),
      outputs(promised_by(file.outputs)),
      classes(first_of_classes(outputs)),
      tables(tables_of(outputs)),
      description(std::move(file.description)),
      sample_period_ns(file.input.sample_period_ns) {
    if (options.check_golden) check_golden(*this, file);
}

std::size_t workspace_bytes(const LoadedModel& model) noexcept {
    if (model.gpu) return model.gpu->workspace_bytes();
    return (model.network.workspace_floats(model.kernels.block) * sizeof(float) + alignment - 1) / alignment *
           alignment;
}

void* new_workspace(const LoadedModel& model) noexcept {
    if (model.gpu) return model.gpu->new_workspace();
    void* memory = std::aligned_alloc(alignment, workspace_bytes(model));
    if (memory) std::memset(memory, 0, workspace_bytes(model));
    return memory;
}

void free_workspace(const LoadedModel& model, void* memory) noexcept {
    if (model.gpu)
        model.gpu->free_workspace(memory);
    else
        std::free(memory);
}

}  // namespace discrimen
