#include "discrimen/model.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "dispatch.hpp"
#include "loaded_model.hpp"

namespace discrimen {
namespace {

std::vector<std::uint8_t> content_of(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    if (!file || std::fseek(file.get(), 0, SEEK_END) != 0) throw Error(path + ": cannot be read");
    const long size = std::ftell(file.get());
    if (size < 0 || size == std::numeric_limits<long>::max()) throw Error(path + ": is not a file");
    std::vector<std::uint8_t> content(static_cast<std::size_t>(size));
    if (std::fseek(file.get(), 0, SEEK_SET) != 0 ||
        std::fread(content.data(), 1, content.size(), file.get()) != content.size())
        throw Error(path + ": cannot be read to its end");
    return content;
}

// The first output that tells classes apart, or one without names and thresholds.
const Output& classes_of(const LoadedModel& model) noexcept {
    static const Output none{};
    return model.classes < model.outputs.size() ? model.outputs[model.classes] : none;
}

const Threshold* threshold_of(const LoadedModel& model, std::string_view name) noexcept {
    for (const Threshold& threshold : classes_of(model).thresholds)
        if (threshold.name == name) return &threshold;
    return nullptr;
}

}  // namespace

Model::Model(std::shared_ptr<const LoadedModel> loaded) noexcept : loaded_(std::move(loaded)) {}

Model Model::from_memory(const void* content, std::size_t size, const LoadOptions& options) {
    cuda::check_device(options.device);
    const Kernels& kernels = kernels_for(options.instruction_set);
    FrozenFile file = read_frozen(static_cast<const std::uint8_t*>(content), size);
    return Model(std::make_shared<const LoadedModel>(std::move(file), kernels, options));
}

Model Model::load(const std::string& path, const LoadOptions& options) {
    const std::vector<std::uint8_t> content = content_of(path);
    try {
        return from_memory(content.data(), content.size(), options);
    } catch (const Error& error) {
        throw Error(path + ": " + error.what());
    }
}

const std::vector<std::string>& Model::channel_names() const noexcept { return loaded_->channel_names; }

bool Model::takes_absent() const noexcept { return loaded_->network.plan().preparation.masked; }

std::size_t Model::shortest_record() const noexcept {
    return static_cast<std::size_t>(loaded_->network.plan().preparation.shortest_record);
}

double Model::sample_period_ns() const noexcept { return loaded_->sample_period_ns; }

bool Model::knows_domain() const noexcept { return loaded_->network.plan().domain.known; }

const std::vector<Output>& Model::outputs() const noexcept { return loaded_->outputs; }

std::size_t Model::output_number(std::string_view name) const noexcept {
    std::size_t number = 0;
    while (number < outputs().size() && outputs()[number].name != name) ++number;
    return number;
}

const std::string& Model::description() const noexcept { return loaded_->description; }

const char* Model::instruction_set() const noexcept {
    return loaded_->gpu ? loaded_->gpu->name().c_str() : loaded_->kernels.name;
}

std::size_t Model::workspace_bytes() const noexcept { return discrimen::workspace_bytes(*loaded_); }

std::size_t Model::n_classes() const noexcept { return classes_of(*loaded_).names.size(); }

const std::string& Model::class_name(std::size_t number) const { return classes_of(*loaded_).names.at(number); }

std::size_t Model::class_number(std::string_view name) const noexcept {
    const std::vector<std::string>& names = classes_of(*loaded_).names;
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::size_t Model::n_thresholds() const noexcept { return classes_of(*loaded_).thresholds.size(); }

const std::string& Model::threshold_name(std::size_t number) const {
    return classes_of(*loaded_).thresholds.at(number).name;
}

double Model::threshold(std::string_view name) const noexcept {
    const Threshold* found = threshold_of(*loaded_, name);
    return found ? found->value : std::numeric_limits<double>::quiet_NaN();
}

std::size_t Model::threshold_class(std::string_view name) const noexcept {
    const Threshold* found = threshold_of(*loaded_, name);
    return found ? found->class_number : n_classes();
}

Status Model::run(const Pulses& pulses, Workspace& workspace, const Results& results) const noexcept {
    if (workspace.loaded_ != loaded_) return DISCRIMEN_WRONG_WORKSPACE;
    return discrimen::run(*loaded_, pulses, workspace.memory_, results);
}

Status Model::classify(const Pulses& pulses, Workspace& workspace, float* scores) const noexcept {
    if (workspace.loaded_ != loaded_) return DISCRIMEN_WRONG_WORKSPACE;
    return discrimen::classify(*loaded_, pulses, workspace.memory_, scores);
}

Status Model::decide(std::size_t output, std::size_t number, const float* values, const float* height_adc,
                     std::size_t n_pulses, std::uint8_t* passes) const noexcept {
    if (!values || !passes) return DISCRIMEN_NULL_ARGUMENT;
    if (output >= outputs().size()) return DISCRIMEN_NO_SUCH_OUTPUT;
    const Output& of = outputs()[output];
    if (number >= of.thresholds.size()) return DISCRIMEN_NO_SUCH_THRESHOLD;
    const Threshold& threshold = of.thresholds[number];
    if (!height_adc && !threshold.knots.empty()) return DISCRIMEN_NULL_ARGUMENT;
    loaded_->tables[output][number].decide(threshold, values + threshold.class_number, of.n_values, height_adc,
                                           n_pulses, passes);
    return DISCRIMEN_OK;
}

double Model::peak_multiply_adds_hz() const {
    using Clock = std::chrono::steady_clock;
    constexpr std::size_t n_rounds = 2000000;
    double best = 0;
    for (int i = 0; i < 7; ++i) {
        const Clock::time_point start = Clock::now();
        const double done = loaded_->kernels.multiply_adds(n_rounds);
        best = std::max(best, done / std::chrono::duration<double>(Clock::now() - start).count());
    }
    return best;
}

Workspace::Workspace(const Model& model) : loaded_(model.loaded_), memory_(new_workspace(*loaded_)) {
    if (!memory_) throw std::bad_alloc();
}

Workspace::~Workspace() {
    if (memory_) free_workspace(*loaded_, memory_);
}

Workspace::Workspace(Workspace&& other) noexcept
    : loaded_(std::move(other.loaded_)), memory_(std::exchange(other.memory_, nullptr)) {}

Workspace& Workspace::operator=(Workspace&& other) noexcept {
    std::swap(loaded_, other.loaded_);
    std::swap(memory_, other.memory_);
    return *this;
}

}  // namespace discrimen
