// The place of a CUDA backend.
#pragma once

namespace discrimen::cuda {

// Throws Error if networks cannot be computed on a GPU, and says why.
void require();

}  // namespace discrimen::cuda
