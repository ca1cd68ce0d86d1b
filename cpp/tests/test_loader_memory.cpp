// Loading takes memory in proportion to the file, however much a few of its numbers ask for.
#include "allocations.hpp"
#include "check.hpp"
#include "loader_limit.hpp"
#include "networks.hpp"

namespace {

using frozen::Content;
using frozen::Layer;
using networks::Random;

constexpr int huge = (1 << 24) - 1;

void check_load(const std::string& what, const frozen::Bytes& bytes) {
    const check::Context where(what);
    const std::size_t before = allocations::live_bytes();
    allocations::reset_peak();
    const std::string reason = check::reason_of([&] { discrimen::Model::from_memory(bytes.data(), bytes.size()); });
    const std::size_t taken = allocations::peak_bytes() - before;
    std::cout << what << ": " << bytes.size() << " bytes, " << taken << " taken, " << taken / bytes.size()
              << " a byte; " << (reason.empty() ? "loaded" : reason) << "\n";
    check::expect(taken <= most_bytes_for(bytes.size()), __FILE__, __LINE__, taken, " bytes taken for ", bytes.size());
}

// Golden pulses that fill the file, and layers between a reshape to (8, 1) and one average.
Content content_with(std::vector<Layer> layers, std::size_t padding) {
    Random random(1);
    Content content;
    content.preparation.window_length = 8;
    content.meta.assign(padding, ' ');
    content.layers = {{frozen::reshape, {8, 1}, {}}, {frozen::global_average_pooling, {}, {}}};
    networks::complete(content, random);
    content.layers.insert(content.layers.begin() + 1, layers.begin(), layers.end());
    content.outputs[0].value = -1;
    return content;
}

frozen::Bytes file_with(const std::vector<Layer>& layers, std::size_t padding = 10000) {
    return frozen::write(content_with(layers, padding));
}

// A large kernel and any number of layers that all say that their weights are those.
frozen::Bytes shared_weights(std::uint32_t outputs, std::size_t n_layers) {
    Random random(2);
    const Layer widen = networks::dense(random, 1, int(outputs), frozen::linear);
    const Layer first = networks::dense(random, int(outputs), 1, frozen::linear);
    Layer again = widen, back = first;
    for (Layer* layer : {&again, &back})
        for (frozen::Array& array : layer->arrays) array.values.clear(), array.start = 0;
    std::vector<Layer> layers = {widen, first};
    for (std::size_t i = 0; i < n_layers; ++i) {
        layers.push_back(again);
        layers.push_back(back);
    }
    return file_with(layers);
}

void check_huge_options() {
    Random random(3);
    check_load("upsampling far beyond the file", file_with({{frozen::up_sampling, {huge}, {}}}));
    check_load("upsampling up to the file", file_with({{frozen::up_sampling, {1000}, {}}}));
    check_load("upsampling again and again", file_with(std::vector<Layer>(20, {frozen::up_sampling, {2}, {}})));
    check_load("a transposed convolution with a huge stride",
               file_with({networks::conv1d_transpose(random, 2, 1, 1, {0, huge, 0})}));
    check_load("a transposed convolution up to the file",
               file_with({networks::conv1d_transpose(random, 2, 1, 1, {0, 1000, 0})}));
    check_load("a convolution with a huge dilation",
               file_with({networks::conv1d(random, 2, 1, 1, {0, 1, huge, frozen::same})}));
    check_load("a pool of huge size", file_with({{frozen::max_pooling, {huge, 1, frozen::same}, {}}}));
    check_load("a huge reshape", file_with({{frozen::reshape, {huge, huge}, {}}}));
    check_load("a huge padding", file_with({{frozen::zero_padding, {huge, huge}, {}}}));
}

// Values that all live until the last layer has read them.
void check_many_live_values() {
    std::vector<Layer> layers = {{frozen::up_sampling, {1000}, {}}};
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < 200; ++i) {
        layers.push_back({frozen::reverse, {}, {}, {2}});
        all.push_back(i + 3);
    }
    layers.push_back({frozen::add, {}, {}, all});
    check_load("many large values that live at a time", file_with(layers));
    check_load("many channels that live at a time",
               file_with({{frozen::concatenate, {0}, {}, std::vector<std::uint32_t>(500, 1)}}));
}

void check_many_layers() {
    Random random(4);
    check_load("many layers", file_with(std::vector<Layer>(3000, {frozen::activate, {0}, {}})));
    check_load("many layers with weights",
               file_with(std::vector<Layer>(500, networks::dense(random, 1, 1, frozen::linear))));
    check_load("a wide LSTM and back",
               file_with({networks::lstm(random, 1, 100, true), networks::dense(random, 100, 1, frozen::linear)}));
    check_load("weights shared by few layers", shared_weights(2000, 2));
    check_load("weights shared by many layers", shared_weights(5000, 800));
}

}  // namespace

int main() {
    if (!allocations::can_count()) return check::skip(allocations::why_not);
    return check::run([] {
        check_huge_options();
        check_many_layers();
        check_many_live_values();
    });
}
