// The kernels of one header: those of the instruction set that it is compiled for.
#include "../dispatch.hpp"

#include "../kernels/kernels.inc"
#include "discrimen/model.hpp"

namespace discrimen {

const Kernels& kernels_for(const std::string& instruction_set) {
    const Kernels& only = DISCRIMEN_INSTRUCTION_SET::kernels;
    if (!instruction_set.empty() && instruction_set != only.name)
        throw Error("no instruction set '" + instruction_set + "': this header was compiled for " + only.name);
    return only;
}

}  // namespace discrimen
