#include "dispatch.hpp"

#include <vector>

#include "discrimen/model.hpp"

namespace discrimen {

namespace baseline {
extern const Kernels kernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}
#endif

namespace {

// What this machine can run, the best first.
std::vector<const Kernels*> available() {
    std::vector<const Kernels*> sets;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        sets.push_back(&avx512::kernels);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(&avx2::kernels);
#endif
    sets.push_back(&baseline::kernels);
    return sets;
}

}  // namespace

const Kernels& kernels_for(const std::string& instruction_set) {
    const std::vector<const Kernels*> sets = available();
    std::string names;
    for (const Kernels* set : sets) {
        if (instruction_set.empty() || instruction_set == set->name) return *set;
        names += std::string(names.empty() ? "" : ", ") + set->name;
    }
    throw Error("no instruction set '" + instruction_set + "' on this machine; it has " + names);
}

}  // namespace discrimen
