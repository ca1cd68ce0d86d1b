// Runs frozen models over raw pulses with the engine that a generated header holds. Next to it are neda.hpp, whose
// model is a good one, and wrong.hpp, whose golden vectors are not what its network gives.
//
// FOLDER/NAME.pulses holds four int64 (pulses, channels, samples, 1 for a mask), int32 samples, and the mask as bytes.
// FOLDER/NAME.results gets the outputs as float32 and where the input came from as float64, twice: of all pulses at
// once, and one by one.
#include "discrimen/model.hpp"
#include "neda.hpp"
#include "wrong.hpp"

#include "discrimen/measure.hpp"

#define main example_of_the_documentation
#include "example.cpp"
#undef main

#include <cstdio>
#include <fstream>
#include <string>
#include <type_traits>
#include <vector>

static_assert(!std::is_same_v<discrimen::Pulses, neda_model::Pulses>);
static_assert(!std::is_same_v<lab::wrong::Pulses, neda_model::discrimen_pulses>);
static_assert(neda_model::DISCRIMEN_OK == 0);

const void* bytes_in_unit();
neda_model::Status classify_in_unit(const neda_model::Model& model, neda_model::Workspace& workspace,
                                    const neda_model::Pulses& pulses, float* scores);

extern std::size_t n_allocations;

namespace {

struct Recorded {
    std::int64_t shape[4];
    std::vector<std::int32_t> samples;
    std::vector<std::uint8_t> present;
};

Recorded read_pulses(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    Recorded recorded;
    in.read(reinterpret_cast<char*>(recorded.shape), sizeof recorded.shape);
    const auto rows = static_cast<std::size_t>(recorded.shape[0] * recorded.shape[1]);
    recorded.samples.resize(rows * static_cast<std::size_t>(recorded.shape[2]));
    recorded.present.resize(recorded.shape[3] ? rows : 0);
    in.read(reinterpret_cast<char*>(recorded.samples.data()),
            static_cast<std::streamsize>(recorded.samples.size() * sizeof recorded.samples[0]));
    in.read(reinterpret_cast<char*>(recorded.present.data()), static_cast<std::streamsize>(recorded.present.size()));
    return recorded;
}

bool run_model(const std::string& path) {
    const Recorded recorded = read_pulses(path + ".pulses");
    const neda_model::Model model = neda_model::Model::load(path + ".discrimen");
    neda_model::Workspace workspace(model);
    const auto n_pulses = static_cast<std::size_t>(recorded.shape[0]);
    const std::size_t n_channels = model.n_channels();
    std::vector<std::vector<float>> outputs;
    for (const neda_model::Output& output : model.outputs()) outputs.emplace_back(n_pulses * output.n_values);
    std::vector<double> restoration(n_pulses * (2 + n_channels));
    std::vector<float*> to(outputs.size());
    std::ofstream out(path + ".results", std::ios::binary);
    for (const std::size_t at_once : {n_pulses, std::size_t{1}}) {
        const std::size_t before = n_allocations;
        for (std::size_t done = 0; done < n_pulses; done += at_once) {
            const auto n_samples = static_cast<std::size_t>(recorded.shape[2]);
            neda_model::Pulses pulses = neda_model::contiguous(recorded.samples.data() + done * n_channels * n_samples,
                                                               at_once, n_channels, n_samples);
            if (!recorded.present.empty()) {
                pulses.present = recorded.present.data() + done * n_channels;
                pulses.present_stride = static_cast<std::ptrdiff_t>(n_channels);
            }
            for (std::size_t i = 0; i < to.size(); ++i) to[i] = outputs[i].data() + done * model.outputs()[i].n_values;
            neda_model::Results results = neda_model::discrimen_results_to(to.data());
            results.restoration = restoration.data() + done * (2 + n_channels);
            if (model.run(pulses, workspace, results) != neda_model::DISCRIMEN_OK) return false;
        }
        if (n_allocations != before) return false;
        for (const std::vector<float>& values : outputs)
            out.write(reinterpret_cast<const char*>(values.data()),
                      static_cast<std::streamsize>(values.size() * sizeof(float)));
        out.write(reinterpret_cast<const char*>(restoration.data()),
                  static_cast<std::streamsize>(restoration.size() * sizeof(double)));
    }
    return true;
}

std::string refusal_of_wrong() {
    try {
        lab::wrong::embedded();
        return "taken";
    } catch (const lab::wrong::Error& error) {
        return error.what();
    }
}

bool unit_agrees() {
    const neda_model::Model model = neda_model::embedded();
    neda_model::Workspace workspace(model);
    const std::vector<std::int16_t> samples(model.shortest_record() + 40);
    float scores[2] = {1, 1};
    const neda_model::Pulses pulses = neda_model::contiguous(samples.data(), 1, samples.size());
    const bool same = bytes_in_unit() == static_cast<const void*>(neda_model::embedded_text);
    return same && classify_in_unit(model, workspace, pulses, scores) == neda_model::DISCRIMEN_OK &&
           scores[0] != scores[0];
}

}  // namespace

int main(int count, char** arguments) {
    if (count == 1) return example_of_the_documentation();
    const std::string folder = arguments[1];
    lab::wrong::LoadOptions unchecked;
    unchecked.check_golden = false;
    const std::string version = neda_model::discrimen_version();
    std::printf("instruction set|%s\n", neda_model::embedded().instruction_set());
    std::printf("wrong model|%s\n", refusal_of_wrong().c_str());
    std::printf("wrong model, not checked|%zu\n", lab::wrong::embedded(unchecked).n_classes());
    std::printf("unit|%d\n", unit_agrees() ? 1 : 0);
    for (int i = 2; i < count; ++i)
        std::printf("%s|%s\n", arguments[i], run_model(folder + "/" + arguments[i]) ? "run" : "failed");
}
