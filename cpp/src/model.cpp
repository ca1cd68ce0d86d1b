#include "discrimen/model.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "backends/cuda/cuda.hpp"
#include "dispatch.hpp"
#include "loaded_model.hpp"

namespace discrimen {
namespace {

std::vector<std::uint8_t> content_of(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    if (!file || std::fseek(file.get(), 0, SEEK_END) != 0) throw Error(path + ": cannot be read");
    const long size = std::ftell(file.get());
    if (size < 0 || size == std::numeric_limits<long>::max()) throw Error(path + ": is not a file");
    std::rewind(file.get());
    std::vector<std::uint8_t> content(static_cast<std::size_t>(size));
    if (std::fread(content.data(), 1, content.size(), file.get()) != content.size())
        throw Error(path + ": cannot be read to its end");
    return content;
}

}  // namespace

Model::Model(std::shared_ptr<const LoadedModel> loaded) noexcept : loaded_(std::move(loaded)) {}

Model Model::from_memory(const void* content, std::size_t size, const LoadOptions& options) {
    if (options.device == "cuda") cuda::require();
    if (options.device != "cpu" && options.device != "cuda")
        throw Error("device must be cpu or cuda, got '" + options.device + "'");
    const Kernels& kernels = kernels_for(options.instruction_set);
    FrozenFile file = read_frozen(static_cast<const std::uint8_t*>(content), size);
    return Model(std::make_shared<const LoadedModel>(std::move(file), kernels));
}

Model Model::load(const std::string& path, const LoadOptions& options) {
    const std::vector<std::uint8_t> content = content_of(path);
    try {
        return from_memory(content.data(), content.size(), options);
    } catch (const Error& error) {
        throw Error(path + ": " + error.what());
    }
}

std::size_t Model::n_classes() const noexcept { return loaded_->classes.size(); }

const std::string& Model::class_name(std::size_t number) const { return loaded_->classes.at(number); }

std::size_t Model::class_number(std::string_view name) const noexcept {
    std::size_t number = 0;
    while (number < loaded_->classes.size() && loaded_->classes[number] != name) ++number;
    return number;
}

std::size_t Model::shortest_record() const noexcept {
    return static_cast<std::size_t>(loaded_->network.plan().preparation.shortest_record);
}

double Model::sample_period_ns() const noexcept { return loaded_->sample_period_ns; }

std::size_t Model::n_thresholds() const noexcept { return loaded_->thresholds.size(); }

const std::string& Model::threshold_name(std::size_t number) const { return loaded_->thresholds.at(number).name; }

double Model::threshold(std::string_view name) const noexcept {
    for (const FrozenThreshold& threshold : loaded_->thresholds)
        if (threshold.name == name) return threshold.value;
    return std::numeric_limits<double>::quiet_NaN();
}

const std::string& Model::description() const noexcept { return loaded_->description; }

const char* Model::instruction_set() const noexcept { return loaded_->kernels.name; }

std::size_t Model::workspace_bytes() const noexcept { return discrimen::workspace_bytes(*loaded_); }

Status Model::classify(const Pulses& pulses, Workspace& workspace, float* scores) const noexcept {
    if (workspace.loaded_ != loaded_) return DISCRIMEN_WRONG_WORKSPACE;
    return discrimen::classify(*loaded_, pulses, workspace.memory_, scores);
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

Workspace::~Workspace() { free_workspace(memory_); }

Workspace::Workspace(Workspace&& other) noexcept
    : loaded_(std::move(other.loaded_)), memory_(std::exchange(other.memory_, nullptr)) {}

Workspace& Workspace::operator=(Workspace&& other) noexcept {
    std::swap(loaded_, other.loaded_);
    std::swap(memory_, other.memory_);
    return *this;
}

}  // namespace discrimen
