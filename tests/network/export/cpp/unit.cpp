// A second source file with the same header, here in front of the engine's own.
#include "neda.hpp"

#include "discrimen/model.hpp"

#include <cstdlib>
#include <new>

const void* bytes_in_unit();
neda_model::Status classify_in_unit(const neda_model::Model& model, neda_model::Workspace& workspace,
                                    const neda_model::Pulses& pulses, float* scores);

extern std::size_t n_allocations;
std::size_t n_allocations = 0;

void* operator new(std::size_t size) {
    ++n_allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

const void* bytes_in_unit() { return neda_model::embedded_text; }

neda_model::Status classify_in_unit(const neda_model::Model& model, neda_model::Workspace& workspace,
                                    const neda_model::Pulses& pulses, float* scores) {
    return model.classify(pulses, workspace, scores);
}
