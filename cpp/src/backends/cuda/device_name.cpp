// Names of devices.
#include "cuda.hpp"

namespace discrimen::cuda {

void check_device(const std::string& device) {
    const std::string prefix = "cuda:";
    const bool numbered = device.compare(0, prefix.size(), prefix) == 0 && device.size() > prefix.size() &&
                          device.size() < prefix.size() + 4 &&
                          device.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (device != "cpu" && device != "cuda" && !numbered)
        throw Error("device must be cpu or cuda, or cuda:1 for the second GPU, got '" + device + "'");
}

}  // namespace discrimen::cuda
