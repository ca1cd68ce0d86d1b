// This build has no CUDA backend. One that has it compiles another file of this folder instead.
#include "cuda.hpp"
#include "discrimen/model.hpp"

namespace discrimen::cuda {

void require() { throw Error("this build of the engine has no CUDA backend; load the model on the device cpu"); }

}  // namespace discrimen::cuda
