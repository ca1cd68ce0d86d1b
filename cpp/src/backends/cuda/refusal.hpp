// Why a device is not to be had, or a model cannot be computed on it. It never leaves a library: the table tells its
// text.
#pragma once

#include <stdexcept>

namespace discrimen::cuda {

struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace discrimen::cuda
