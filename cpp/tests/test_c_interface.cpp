// The plain C interface: every function, every status, NULL wherever a pointer may be, and a program in C.
#include <cmath>
#include <cstdio>
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
    made.layers = {networks::dense(random, 30, 2, frozen::softmax)};
    made.thresholds = {{"balanced", 0.5}, {"pure", 0.93}};
    networks::complete(made, random);
    made.classes = {"gamma", "neutron"};
    return made;
}

std::string text(const char* value) { return value ? value : "(null)"; }

discrimen_model* load(const frozen::Bytes& bytes, const discrimen_options* options = nullptr) {
    char why[256] = "";
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

void check_null_everywhere() {
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
    discrimen_options options = {"baseline", "cpu"};
    discrimen_model* model = load(bytes, &options);
    CHECK_EQUAL(text(discrimen_instruction_set(model)), "baseline");
    discrimen_free(model);
    options = {nullptr, nullptr};
    discrimen_free(load(bytes, &options));
    options = {"mmx", nullptr};
    CHECK(refusal(bytes, &options, 200).find("no instruction set 'mmx'") != std::string::npos);
    options = {nullptr, "cuda"};
    CHECK(refusal(bytes, &options, 200).find("no CUDA backend") != std::string::npos);
    options = {nullptr, "abacus"};
    CHECK(refusal(bytes, &options, 200).find("device must be cpu or cuda, got 'abacus'") != std::string::npos);
    CHECK_EQUAL(refusal(bytes, &options, 9), "device m");
    CHECK_EQUAL(refusal(bytes, &options, 1), "");
    refusal(bytes, &options, 0);
    CHECK(discrimen_load_memory(bytes.data(), bytes.size(), &options, nullptr, 100) == nullptr);
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
    for (int status = DISCRIMEN_OK; status <= DISCRIMEN_WRONG_WORKSPACE; ++status)
        CHECK(text(discrimen_status_text(discrimen_status(status))) != "unknown status");
    CHECK_EQUAL(text(discrimen_status_text(discrimen_status(7))), "unknown status");
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
    const std::vector<double> wanted = reference::scores(made, pulse);
    for (const auto classify : {classify_in_c99, classify_in_c11}) {
        float scores[2] = {};
        CHECK_EQUAL(classify(bytes.data(), bytes.size(), samples.data(), 1, 40, scores), 0);
        CHECK_CLOSE(scores[0], wanted[0], 3e-6);
        CHECK_CLOSE(scores[1], wanted[1], 3e-6);
    }
}

}  // namespace

int main() {
    return check::run([] {
        const frozen::Content made = content();
        const frozen::Bytes bytes = frozen::write(made);
        check_queries(bytes);
        check_null_everywhere();
        check_options(bytes);
        check_loading(bytes);
        check_statuses(bytes);
        check_status_texts();
        check_order_of_freeing(bytes);
        check_program_in_c(made, bytes);
    });
}
