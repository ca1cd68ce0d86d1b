// The plain C interface, on the CPU or the device that is named: every function, every status,
// NULL wherever a pointer may be, and a program in C.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "c_program.h"
#include "check.hpp"
#include "discrimen/discrimen.h"
#include "discrimen/version.h"
#include "networks.hpp"
#include "reference.hpp"

namespace {

using networks::Random;

frozen::Content content() {
    Random random(1);
    frozen::Content made;
    made.meta = "{\"detector\": \"NEDA\"}";
    made.preparation.sample_period_ns = 2.5;
    made.preparation.window_length = 30;
    made.layers = {networks::dense(random, 30, 2, frozen::linear),
                   networks::dense(random, 2, 6, frozen::tanh),
                   {frozen::reshape, {3, 2}, {}}};
    frozen::Output shape, particle, energy;
    shape.name = "shape", shape.kind = frozen::waveform, shape.shape = {3, 2}, shape.unit = "prepared";
    particle.name = "particle", particle.kind = frozen::classes, particle.value = 1;
    particle.activation = frozen::softmax, particle.names = {"gamma", "neutron"};
    particle.thresholds = {{"balanced", 0.5, 1}, {"pure", 0.93, 0}};
    energy.name = "energy", energy.kind = frozen::quantity, energy.value = 1, energy.with_error = 1;
    energy.unit = "keV", energy.names = {"deposited"};
    made.outputs = {shape, particle, energy};
    networks::complete(made, random);
    return made;
}

std::string text(const char* value) { return value ? value : "(null)"; }

std::string device = "cpu";  // of models that are loaded without options

discrimen_model* load(const frozen::Bytes& bytes, const discrimen_options* options = nullptr) {
    char why[256] = "";
    const discrimen_options usual = {sizeof usual, nullptr, device.c_str()};
    if (!options) options = &usual;
    discrimen_model* model = discrimen_load_memory(bytes.data(), bytes.size(), options, why, sizeof why);
    check::expect(model != nullptr, __FILE__, __LINE__, why);
    return model;
}

void check_queries(const frozen::Bytes& bytes) {
    discrimen_model* model = load(bytes);
    CHECK_EQUAL(discrimen_n_classes(model), std::size_t(2));
    CHECK_EQUAL(text(discrimen_class_name(model, 0)), "gamma");
    CHECK_EQUAL(text(discrimen_class_name(model, 1)), "neutron");
    CHECK(discrimen_class_name(model, 2) == nullptr);
    CHECK_EQUAL(discrimen_class_number(model, "neutron"), std::size_t(1));
    CHECK_EQUAL(discrimen_class_number(model, "proton"), std::size_t(2));
    CHECK_EQUAL(discrimen_class_number(model, nullptr), std::size_t(2));
    CHECK_EQUAL(discrimen_shortest_record(model), std::size_t(38));
    CHECK_EQUAL(discrimen_sample_period_ns(model), 2.5);
    CHECK_EQUAL(discrimen_n_channels(model), std::size_t(1));
    CHECK_EQUAL(text(discrimen_channel_name(model, 0)), "channel 0");
    CHECK(discrimen_channel_name(model, 1) == nullptr);
    CHECK_EQUAL(discrimen_takes_absent(model), 0);
    CHECK_EQUAL(discrimen_threshold_class(model, "pure"), std::size_t(0));
    CHECK_EQUAL(discrimen_threshold_class(model, "none such"), std::size_t(2));
    CHECK_EQUAL(discrimen_threshold_class(model, nullptr), std::size_t(2));
    CHECK_EQUAL(discrimen_n_thresholds(model), std::size_t(2));
    CHECK_EQUAL(text(discrimen_threshold_name(model, 1)), "pure");
    CHECK(discrimen_threshold_name(model, 2) == nullptr);
    CHECK_EQUAL(discrimen_threshold(model, "pure"), 0.93);
    CHECK(std::isnan(discrimen_threshold(model, "none such")));
    CHECK(std::isnan(discrimen_threshold(model, nullptr)));
    CHECK_EQUAL(text(discrimen_description(model)), "{\"detector\": \"NEDA\"}");
    CHECK_EQUAL(text(discrimen_version()), DISCRIMEN_VERSION);
    discrimen_free(model);
}

void check_outputs(const frozen::Bytes& bytes) {
    discrimen_model* model = load(bytes);
    CHECK_EQUAL(discrimen_n_outputs(model), std::size_t(3));
    CHECK_EQUAL(discrimen_output_number(model, "energy"), std::size_t(2));
    CHECK_EQUAL(discrimen_output_number(model, "mass"), std::size_t(3));
    CHECK_EQUAL(discrimen_output_number(model, nullptr), std::size_t(3));
    discrimen_output output = {};
    CHECK_EQUAL(discrimen_describe_output(model, 0, &output), DISCRIMEN_WRONG_SIZE);
    output.size = sizeof output + 1;
    CHECK_EQUAL(discrimen_describe_output(model, 0, &output), DISCRIMEN_WRONG_SIZE);
    output.size = sizeof output;
    CHECK_EQUAL(discrimen_describe_output(model, 3, &output), DISCRIMEN_NO_SUCH_OUTPUT);
    CHECK_EQUAL(discrimen_describe_output(model, 0, nullptr), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_describe_output(nullptr, 0, &output), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_describe_output(model, 0, &output), DISCRIMEN_OK);
    CHECK(text(output.name) == "shape" && output.kind == DISCRIMEN_WAVEFORM && text(output.unit) == "prepared");
    CHECK(output.n_axes == 2 && output.shape[0] == 3 && output.shape[1] == 2 && output.n_values == 6);
    CHECK_EQUAL(discrimen_describe_output(model, 1, &output), DISCRIMEN_OK);
    CHECK(output.kind == DISCRIMEN_CLASSES && output.n_names == 2 && output.n_thresholds == 2 && output.n_axes == 1);
    CHECK_EQUAL(discrimen_describe_output(model, 2, &output), DISCRIMEN_OK);
    CHECK(output.kind == DISCRIMEN_QUANTITY && output.with_error == 1 && output.shape[0] == 1 && output.n_values == 2);
    CHECK_EQUAL(text(discrimen_output_item_name(model, 2, 0)), "deposited");
    CHECK(discrimen_output_item_name(model, 2, 1) == nullptr && discrimen_output_item_name(model, 3, 0) == nullptr);
    CHECK_EQUAL(text(discrimen_output_threshold_name(model, 1, 1)), "pure");
    CHECK(discrimen_output_threshold_name(model, 1, 2) == nullptr);
    CHECK(discrimen_output_threshold_name(model, 0, 0) == nullptr);
    CHECK_EQUAL(discrimen_output_threshold(model, 1, 1), 0.93);
    CHECK(std::isnan(discrimen_output_threshold(model, 1, 2)));
    CHECK_EQUAL(discrimen_output_threshold_class(model, 1, 0), std::size_t(1));
    discrimen_free(model);
}

// A program that was built against an older header hands over shorter structs; one that forgot the size hands over 0.
void check_sizes_of_structs(const frozen::Content& made, const frozen::Bytes& bytes) {
    discrimen_model* model = load(bytes);
    discrimen_workspace* workspace = discrimen_workspace_new(model);
    Random random(3);
    const std::vector<double> pulse = networks::plain_pulse(made.preparation, 40, random);
    const std::vector<std::int16_t> samples(pulse.begin(), pulse.end());
    const double wanted = reference::results(made, pulse)[1][0];
    discrimen_pulses pulses = discrimen_contiguous(samples.data(), 1, 40);
    pulses.size = offsetof(discrimen_pulses, bits);
    pulses.bits = 1;
    pulses.n_channels = 1000;
    pulses.present = reinterpret_cast<const std::uint8_t*>(1);
    float scores[2] = {};
    float* const outputs[] = {nullptr, scores, nullptr};
    discrimen_results results = discrimen_results_to(outputs);
    results.size = offsetof(discrimen_results, restoration);
    results.restoration = reinterpret_cast<double*>(1);
    CHECK_EQUAL(discrimen_run(model, workspace, &pulses, &results), DISCRIMEN_OK);
    CHECK_CLOSE(scores[0], wanted, 3e-6);
    for (const std::size_t size : {std::size_t(0), offsetof(discrimen_results, outputs), sizeof results + 1}) {
        results.size = size;
        CHECK_EQUAL(discrimen_run(model, workspace, &pulses, &results), DISCRIMEN_WRONG_SIZE);
    }
    for (const std::size_t size : {std::size_t(0), offsetof(discrimen_pulses, type), sizeof pulses + 1}) {
        pulses.size = size;
        CHECK_EQUAL(discrimen_classify(model, workspace, &pulses, scores), DISCRIMEN_WRONG_SIZE);
    }
    discrimen_workspace_free(workspace);
    discrimen_free(model);
}

// A model without classes scores nothing, and says so.
void check_no_classes() {
    Random random(4);
    frozen::Content made = content();
    made.outputs.erase(made.outputs.begin() + 1);
    networks::complete(made, random);
    discrimen_model* model = load(frozen::write(made));
    discrimen_workspace* workspace = discrimen_workspace_new(model);
    const std::vector<std::int16_t> samples(50);
    const discrimen_pulses pulses = discrimen_contiguous(samples.data(), 1, 50);
    float scores[2];
    CHECK_EQUAL(discrimen_n_classes(model), std::size_t(0));
    CHECK_EQUAL(discrimen_n_thresholds(model), std::size_t(0));
    CHECK_EQUAL(discrimen_classify(model, workspace, &pulses, scores), DISCRIMEN_NO_CLASSES);
    discrimen_workspace_free(workspace);
    discrimen_free(model);
}

void check_null_everywhere() {
    CHECK_EQUAL(discrimen_n_channels(nullptr), std::size_t(0));
    CHECK(discrimen_channel_name(nullptr, 0) == nullptr);
    CHECK_EQUAL(discrimen_takes_absent(nullptr), 0);
    CHECK_EQUAL(discrimen_n_outputs(nullptr), std::size_t(0));
    CHECK_EQUAL(discrimen_output_number(nullptr, "energy"), std::size_t(0));
    CHECK(discrimen_output_item_name(nullptr, 0, 0) == nullptr);
    CHECK(discrimen_output_threshold_name(nullptr, 0, 0) == nullptr);
    CHECK_EQUAL(discrimen_threshold_class(nullptr, "pure"), std::size_t(0));
    CHECK_EQUAL(discrimen_n_classes(nullptr), std::size_t(0));
    CHECK(discrimen_class_name(nullptr, 0) == nullptr);
    CHECK_EQUAL(discrimen_class_number(nullptr, "neutron"), std::size_t(0));
    CHECK_EQUAL(discrimen_shortest_record(nullptr), std::size_t(0));
    CHECK_EQUAL(discrimen_sample_period_ns(nullptr), 0.0);
    CHECK_EQUAL(discrimen_n_thresholds(nullptr), std::size_t(0));
    CHECK(discrimen_threshold_name(nullptr, 0) == nullptr);
    CHECK(std::isnan(discrimen_threshold(nullptr, "pure")));
    CHECK(discrimen_instruction_set(nullptr) == nullptr);
    CHECK(discrimen_description(nullptr) == nullptr);
    CHECK(discrimen_workspace_new(nullptr) == nullptr);
    discrimen_free(nullptr);
    discrimen_workspace_free(nullptr);
}

// The reason of a refusal, as a caller with room for `size` characters sees it.
std::string refusal(const frozen::Bytes& bytes, const discrimen_options* options, std::size_t size) {
    std::vector<char> why(size + 1, '#');
    discrimen_model* model = discrimen_load_memory(bytes.data(), bytes.size(), options, why.data(), size);
    CHECK(model == nullptr);
    discrimen_free(model);
    CHECK_EQUAL(why[size], '#');
    return size == 0 ? "" : std::string(why.data());
}

void check_options(const frozen::Bytes& bytes) {
    discrimen_options options = {sizeof options, "baseline", "cpu"};
    discrimen_model* model = load(bytes, &options);
    CHECK_EQUAL(text(discrimen_instruction_set(model)), "baseline");
    discrimen_free(model);
    options = {sizeof options, nullptr, nullptr};
    discrimen_free(load(bytes, &options));
    options = {sizeof options, "mmx", nullptr};
    CHECK(refusal(bytes, &options, 200).find("no instruction set 'mmx'") != std::string::npos);
    options = {sizeof options, nullptr, "cuda"};
    if (device == "cpu") {
        setenv("DISCRIMEN_CUDA_LIBRARY", "/no/such/library.so", 1);
        CHECK(refusal(bytes, &options, 400).find("no CUDA backend: /no/such/library.so cannot be loaded") == 0);
    }
    options = {sizeof options, nullptr, "abacus"};
    const std::string names = "device must be cpu or cuda, or cuda:1 for the second GPU, got 'abacus'";
    CHECK(refusal(bytes, &options, 200).find(names) != std::string::npos);
    CHECK_EQUAL(refusal(bytes, &options, 9), "device m");
    CHECK_EQUAL(refusal(bytes, &options, 1), "");
    refusal(bytes, &options, 0);
    CHECK(discrimen_load_memory(bytes.data(), bytes.size(), &options, nullptr, 100) == nullptr);
    options = {8, nullptr, nullptr};
    CHECK(refusal(bytes, &options, 200).find("the size of the options is 8") != std::string::npos);
}

void check_loading(const frozen::Bytes& bytes) {
    char why[300] = "";
    CHECK(discrimen_load(nullptr, nullptr, why, sizeof why) == nullptr);
    CHECK_EQUAL(std::string(why), "path is NULL");
    CHECK(discrimen_load_memory(nullptr, 10, nullptr, why, sizeof why) == nullptr);
    CHECK_EQUAL(std::string(why), "content is NULL");
    for (const char* path : {"no/such/file.discrimen", "."}) {
        CHECK(discrimen_load(path, nullptr, why, sizeof why) == nullptr);
        CHECK(std::string(why).find(std::string(path) + ": ") == 0);
    }
    const char path[] = "test_c_interface.discrimen";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
    discrimen_model* model = discrimen_load(path, nullptr, why, sizeof why);
    check::expect(model != nullptr, __FILE__, __LINE__, why);
    discrimen_free(model);
    std::ofstream(path, std::ios::binary) << "DISCRIM";
    CHECK(discrimen_load(path, nullptr, why, sizeof why) == nullptr);
    CHECK(std::string(why).find("test_c_interface.discrimen: this is no frozen model") == 0);
    std::remove(path);
}

void check_statuses(const frozen::Bytes& bytes) {
    discrimen_model *model = load(bytes), *other = load(bytes);
    discrimen_workspace *workspace = discrimen_workspace_new(model), *of_other = discrimen_workspace_new(other);
    const std::vector<std::int16_t> samples(100);
    float scores[4] = {1, 2, 3, 4};
    discrimen_pulses pulses = discrimen_contiguous(samples.data(), 2, 50);
    const auto status = [&](const discrimen_pulses& asked) {
        return discrimen_classify(model, workspace, &asked, scores);
    };
    CHECK_EQUAL(discrimen_classify(nullptr, workspace, &pulses, scores), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_classify(model, nullptr, &pulses, scores), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_classify(model, workspace, nullptr, scores), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_classify(model, workspace, &pulses, nullptr), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_classify(model, of_other, &pulses, scores), DISCRIMEN_WRONG_WORKSPACE);
    pulses.samples = nullptr;
    CHECK_EQUAL(status(pulses), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(status(discrimen_contiguous(samples.data(), 2, 37)), DISCRIMEN_RECORD_TOO_SHORT);
    for (const int type : {4, -1, 1000}) {
        pulses = discrimen_contiguous(samples.data(), 2, 50);
        std::memcpy(&pulses.type, &type, sizeof pulses.type);
        CHECK_EQUAL(status(pulses), DISCRIMEN_UNKNOWN_TYPE);
    }
    pulses = discrimen_contiguous_channels(samples.data(), 1, 2, 50);
    CHECK_EQUAL(status(pulses), DISCRIMEN_WRONG_CHANNELS);
    const std::uint8_t present[] = {1, 0};
    pulses = discrimen_contiguous(samples.data(), 2, 50);
    pulses.present = present;
    pulses.present_stride = 1;
    CHECK_EQUAL(status(pulses), DISCRIMEN_CHANNEL_ABSENT);
    discrimen_results results = discrimen_results_to(nullptr);
    pulses = discrimen_contiguous(samples.data(), 2, 50);
    CHECK_EQUAL(discrimen_run(nullptr, workspace, &pulses, &results), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_run(model, nullptr, &pulses, &results), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_run(model, workspace, nullptr, &results), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_run(model, workspace, &pulses, nullptr), DISCRIMEN_NULL_ARGUMENT);
    CHECK_EQUAL(discrimen_run(model, of_other, &pulses, &results), DISCRIMEN_WRONG_WORKSPACE);
    CHECK_EQUAL(discrimen_run(model, workspace, &pulses, &results), DISCRIMEN_OK);
    CHECK_EQUAL(scores[0], 1.0f);
    CHECK_EQUAL(scores[3], 4.0f);
    pulses = discrimen_contiguous(nullptr, 0, 50);
    CHECK_EQUAL(discrimen_classify(model, workspace, &pulses, nullptr), DISCRIMEN_OK);
    CHECK_EQUAL(status(discrimen_contiguous(samples.data(), 2, 38)), DISCRIMEN_OK);
    CHECK(std::isnan(scores[0]) && std::isnan(scores[3]));  // flat pulses
    discrimen_workspace_free(workspace);
    discrimen_workspace_free(of_other);
    discrimen_free(other);
    discrimen_free(model);
}

void check_status_texts() {
    for (int status = DISCRIMEN_OK; status <= DISCRIMEN_RECORD_TOO_LONG; ++status)
        CHECK(text(discrimen_status_text(discrimen_status(status))) != "unknown status");
    CHECK_EQUAL(text(discrimen_status_text(discrimen_status(15))), "unknown status");
}

// A workspace keeps what it needs of its model.
void check_order_of_freeing(const frozen::Bytes& bytes) {
    discrimen_model* model = load(bytes);
    discrimen_workspace* workspace = discrimen_workspace_new(model);
    discrimen_free(model);
    discrimen_workspace_free(workspace);
}

void check_program_in_c(const frozen::Content& made, const frozen::Bytes& bytes) {
    Random random(2);
    const std::vector<double> pulse = networks::plain_pulse(made.preparation, 40, random);
    const std::vector<short> samples(pulse.begin(), pulse.end());
    const std::vector<double> wanted = reference::results(made, pulse)[1];
    for (const auto classify : {classify_in_c99, classify_in_c11}) {
        float scores[2] = {};
        CHECK_EQUAL(classify(bytes.data(), bytes.size(), samples.data(), 1, 40, scores), 0);
        CHECK_CLOSE(scores[0], wanted[0], 3e-6);
        CHECK_CLOSE(scores[1], wanted[1], 3e-6);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && networks::instruction_set_from(argc, argv).empty()) return check::skipped;
    if (argc > 1) device = argv[1];
    return check::run([] {
        const frozen::Content made = content();
        const frozen::Bytes bytes = frozen::write(made);
        check_queries(bytes);
        check_outputs(bytes);
        check_sizes_of_structs(made, bytes);
        check_no_classes();
        check_null_everywhere();
        check_options(bytes);
        check_loading(bytes);
        check_statuses(bytes);
        check_status_texts();
        check_order_of_freeing(bytes);
        check_program_in_c(made, bytes);
    });
}
