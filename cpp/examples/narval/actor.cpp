// A filter actor for NARVAL (DCOD): neutron scores for the pulses of NEDA, while data are taken.
//
// A shared library for the actor `generic_filter`, loaded by `set library libnarval_actor.so SUBSYSTEM ACTOR`. It reads
// `discrimen.conf` in the directory that NARVAL passes to process_config:
//
//     model         = neda.discrimen    a frozen model; a relative path starts at that directory
//     threshold     = default           a threshold of the model by its name, or a number; if it is not given, the
//                                       model's first, or 0.5 if the model has none
//     output        = scores            or raw+scores: every frame, its scores behind it
//     largest_frame = 1048576           bytes; anything longer is damage
//
// The frames are described in mfm_frame.hpp, what happens to them in score_filter.hpp, the functions in narval_actor.h.
// process_block allocates nothing and prints nothing. Each state has a workspace of its own.
//
// Build with CMake (find_package(discrimen REQUIRED) and target_link_libraries(narval_actor discrimen::discrimen)), or
//
//   g++ -std=c++17 -O2 -shared -fPIC actor.cpp mfm_frame.cpp score_filter.cpp -o libnarval_actor.so
//
// with $(pkg-config --cflags --libs discrimen) at its end.
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "narval_actor.h"
#include "score_filter.hpp"

struct narval_state {
    std::unique_ptr<ScoreFilter> filter;
};

namespace {

using Keys = std::map<std::string, std::string>;

// process_config has no state to write to: NARVAL calls it once for the library.
std::string& directory() {
    static std::string path;
    return path;
}

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Lines `key = value`; `#` starts a comment.
Keys read_configuration(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot open " + path);
    Keys keys;
    for (std::string line; std::getline(file, line);) {
        line = trimmed(line.substr(0, line.find('#')));
        const std::size_t equals = line.find('=');
        if (line.empty()) continue;
        if (equals == std::string::npos) throw std::runtime_error(path + ": expected key = value, got " + line);
        keys[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
    }
    return keys;
}

std::string take(Keys& keys, const std::string& key, const std::string& otherwise) {
    const auto found = keys.find(key);
    if (found == keys.end()) return otherwise;
    const std::string value = found->second;
    keys.erase(found);
    return value;
}

double number(const std::string& key, const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !std::isfinite(value))
        throw std::runtime_error(key + ": expected a number, got " + text);
    return value;
}

discrimen::Threshold threshold_of(const discrimen::Model& model, const std::string& text) {
    for (const discrimen::Output& output : model.outputs()) {
        if (output.kind != DISCRIMEN_CLASSES) continue;
        for (const discrimen::Threshold& threshold : output.thresholds)
            if (text.empty() || threshold.name == text) return threshold;
        break;
    }
    if (text.empty()) return {"", 0.5, 0, {}};
    try {
        return {"", number("threshold", text), 0, {}};
    } catch (const std::runtime_error&) {
        throw std::runtime_error("threshold: the model has none named " + text + ", nor is it a number");
    }
}

std::unique_ptr<ScoreFilter> configured_filter(const std::string& folder) {
    Keys keys = read_configuration(folder + "/discrimen.conf");
    const std::string path = take(keys, "model", "");
    if (path.empty()) throw std::runtime_error("discrimen.conf names no model");
    const discrimen::Model model = discrimen::Model::load(path[0] == '/' ? path : folder + "/" + path);

    FilterSettings settings;
    settings.threshold = threshold_of(model, take(keys, "threshold", ""));
    const std::string output = take(keys, "output", "scores");
    if (output != "scores" && output != "raw+scores")
        throw std::runtime_error("output: expected scores or raw+scores, got " + output);
    settings.keep_raw = output == "raw+scores";
    const double largest = number("largest_frame", take(keys, "largest_frame", "1048576"));
    if (largest < 1024 || largest > 1 << 30) throw std::runtime_error("largest_frame: expected 1024 to 2^30 bytes");
    settings.largest_frame = static_cast<std::size_t>(largest);
    if (!keys.empty()) throw std::runtime_error("discrimen.conf: unknown key " + keys.begin()->first);
    return std::make_unique<ScoreFilter>(model, settings);
}

}  // namespace

extern "C" {

void process_config(char* directory_path, unsigned int* error_code) {
    *error_code = directory_path ? NARVAL_OK : NARVAL_NOT_CONFIGURED;
    try {
        if (directory_path) directory() = directory_path;
    } catch (const std::exception&) {
        *error_code = NARVAL_NO_MEMORY;
    }
}

narval_state* process_register(unsigned int* error_code) {
    narval_state* state = new (std::nothrow) narval_state;
    *error_code = state ? NARVAL_OK : NARVAL_NO_MEMORY;
    return state;
}

void process_initialise(narval_state* state, unsigned int* error_code) {
    *error_code = NARVAL_OK;
    if (directory().empty()) {
        *error_code = NARVAL_NOT_CONFIGURED;
        return;
    }
    try {
        state->filter = configured_filter(directory());
    } catch (const std::bad_alloc&) {
        *error_code = NARVAL_NO_MEMORY;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "discrimen actor: %s\n", error.what());
        *error_code = NARVAL_BAD_CONFIGURATION;
    }
}

void process_start(narval_state* state, unsigned int* error_code) {
    *error_code = state->filter ? NARVAL_OK : NARVAL_NOT_INITIALISED;
    if (state->filter) state->filter->forget();
}

void process_block(narval_state* state, void* input_buffer, unsigned int size_of_input_buffer, void* output_buffer,
                   unsigned int size_of_output_buffer, unsigned int* used_size_of_output_buffer,
                   unsigned int* error_code) {
    *used_size_of_output_buffer = 0;
    if (!state->filter) {
        *error_code = NARVAL_NOT_INITIALISED;
        return;
    }
    std::size_t used = 0;
    *error_code = state->filter->process(static_cast<const std::uint8_t*>(input_buffer), size_of_input_buffer,
                                         static_cast<std::uint8_t*>(output_buffer), size_of_output_buffer, &used);
    *used_size_of_output_buffer = static_cast<unsigned int>(used);
}

void process_stop(narval_state* state, unsigned int* error_code) {
    *error_code = state->filter ? NARVAL_OK : NARVAL_NOT_INITIALISED;
    if (!state->filter) return;
    const FilterCounts& counts = state->filter->counts();
    std::fprintf(stderr,
                 "discrimen actor: %" PRIu64 " pulses scored, %" PRIu64 " of them neutrons, %" PRIu64
                 " not scored, %" PRIu64 " frames passed on, %" PRIu64 " damaged places\n",
                 counts.scored, counts.neutrons, counts.not_scored, counts.passed_on, counts.damages);
}

void process_pause(narval_state*, unsigned int* error_code) { *error_code = NARVAL_OK; }

void process_resume(narval_state*, unsigned int* error_code) { *error_code = NARVAL_OK; }

void process_reset(narval_state* state, unsigned int* error_code) {
    state->filter.reset();
    *error_code = NARVAL_OK;
}

void process_unload(narval_state* state, unsigned int* error_code) {
    delete state;
    *error_code = NARVAL_OK;
}

}  // extern "C"
