// Finds and loads the library that computes on a GPU. It stays loaded: the driver's threads may still be in it.
#include <dlfcn.h>

#include <cstdlib>

#include "cuda.hpp"
#include "discrimen/version.h"
#include "flat_plan.hpp"

namespace discrimen::cuda {
namespace {

constexpr const char* variable = "DISCRIMEN_CUDA_LIBRARY";
constexpr std::size_t longest_reason = 512;

// The folder of this library, or of the program that it is linked into, with a slash at its end.
std::string own_folder() {
    Dl_info info = {};
    if (!dladdr(reinterpret_cast<const void*>(&own_folder), &info) || !info.dli_fname) return "";
    const std::string path = info.dli_fname;
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

std::string library_path() {
    const char* named = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): read while a model loads
    return named && *named ? named : own_folder() + library_name;
}

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
    throw Error("no CUDA backend: " + path + " " + reason);
}

const Table& loaded_table() {
    const std::string path = library_path();
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char* said = dlerror();  // NOLINT(concurrency-mt-unsafe): of this thread, in glibc
        std::string reason = said ? said : "no reason given";
        if (reason.compare(0, path.size() + 2, path + ": ") == 0) reason.erase(0, path.size() + 2);
        fail(path, "cannot be loaded (" + reason + "): install it as docs/gpu.md says, name it by " + variable +
                       ", or use the device cpu");
    }
    const auto function = reinterpret_cast<TableFunction>(dlsym(library, table_symbol));
    const Table* table = function ? function() : nullptr;
    if (!table) fail(path, "is no library of discrimen");
    if (table->version != table_version || table->layout != plan_layout ||
        std::string(table->engine_version) != DISCRIMEN_VERSION)
        fail(path, "has another version than this engine, " DISCRIMEN_VERSION "; build both from the same sources");
    return *table;
}

}  // namespace

Gpu::Gpu(int number, const Network& network) : table_(&loaded_table()) {
    const std::vector<char> plan = flattened(network);
    const FlatPlan flat = {plan.data(), plan.size()};
    char why[longest_reason] = "";
    model_ = table_->open(number, &flat, why, sizeof why);
    if (!model_) throw Error(std::string("CUDA device ") + std::to_string(number) + ": " + why);
    name_ = "cuda:" + std::to_string(number) + ", " + table_->device_name(model_);
}

Gpu::~Gpu() { table_->close(model_); }

std::size_t Gpu::workspace_bytes() const noexcept { return table_->workspace_bytes(model_); }

void* Gpu::new_workspace() const noexcept { return table_->new_workspace(model_); }

void Gpu::free_workspace(void* workspace) const noexcept {
    if (workspace) table_->free_workspace(model_, workspace);
}

Status Gpu::run(void* workspace, const SampleView& view, const Targets& targets) const noexcept {
    return Status(table_->run(model_, workspace, &view, &targets));
}

void* Gpu::allocate(std::size_t size, bool on_device) const noexcept {
    return table_->allocate(model_, size, on_device);
}

void Gpu::release(void* memory, bool on_device) const noexcept {
    if (memory) table_->release(model_, memory, on_device);
}

bool Gpu::copy(void* to, const void* from, std::size_t size) const noexcept {
    return table_->copy(model_, to, from, size) == DISCRIMEN_OK;
}

std::unique_ptr<const Gpu> gpu_for(const std::string& device, const Network& network) {
    check_device(device);
    if (device == "cpu") return nullptr;
    return std::make_unique<const Gpu>(device == "cuda" ? 0 : int(std::strtol(device.c_str() + 5, nullptr, 10)),
                                       network);
}

}  // namespace discrimen::cuda
