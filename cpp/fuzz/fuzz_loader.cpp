// Entry of libFuzzer: build with -DDISCRIMEN_LIBFUZZER=ON and clang. Checksums are made good, or nothing would get by
// the first check; start it with the files that `mutate_loader seeds FOLDER` writes.
#include "loader_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    frozen::Bytes bytes(data, data + size);
    frozen::seal(bytes);
    loader_target::load_and_run(bytes);
    return 0;
}
