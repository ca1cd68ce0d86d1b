// The plain C interface: a thin coat over the C++ one that lets no exception out.
#include <cstdio>
#include <exception>
#include <new>

#include "discrimen/discrimen.h"
#include "discrimen/model.hpp"
#include "discrimen/version.h"

struct discrimen_model {
    discrimen::Model model;
};

struct discrimen_workspace {
    discrimen::Workspace workspace;
};

namespace {

void explain(const char* reason, char* why, size_t why_size) noexcept {
    if (why && why_size > 0) std::snprintf(why, why_size, "%s", reason);
}

discrimen::LoadOptions options_from(const discrimen_options* given) {
    discrimen::LoadOptions options;
    if (given && given->instruction_set) options.instruction_set = given->instruction_set;
    if (given && given->device) options.device = given->device;
    return options;
}

template <class Load>
discrimen_model* load_with(Load load, char* why, size_t why_size) noexcept {
    try {
        return new discrimen_model{load()};
    } catch (const std::exception& error) {
        explain(error.what(), why, why_size);
    } catch (...) {
        explain("unknown failure", why, why_size);
    }
    return nullptr;
}

}  // namespace

extern "C" {

discrimen_model* discrimen_load(const char* path, const discrimen_options* options, char* why, size_t why_size) {
    if (!path) return explain("path is NULL", why, why_size), nullptr;
    return load_with([&] { return discrimen::Model::load(path, options_from(options)); }, why, why_size);
}

discrimen_model* discrimen_load_memory(const void* content, size_t size, const discrimen_options* options, char* why,
                                       size_t why_size) {
    if (!content) return explain("content is NULL", why, why_size), nullptr;
    return load_with([&] { return discrimen::Model::from_memory(content, size, options_from(options)); }, why,
                     why_size);
}

void discrimen_free(discrimen_model* model) { delete model; }

size_t discrimen_n_classes(const discrimen_model* model) { return model ? model->model.n_classes() : 0; }

const char* discrimen_class_name(const discrimen_model* model, size_t number) {
    return model && number < model->model.n_classes() ? model->model.class_name(number).c_str() : nullptr;
}

size_t discrimen_class_number(const discrimen_model* model, const char* name) {
    if (!model) return 0;
    return name ? model->model.class_number(name) : model->model.n_classes();
}

size_t discrimen_shortest_record(const discrimen_model* model) { return model ? model->model.shortest_record() : 0; }

double discrimen_sample_period_ns(const discrimen_model* model) { return model ? model->model.sample_period_ns() : 0; }

size_t discrimen_n_thresholds(const discrimen_model* model) { return model ? model->model.n_thresholds() : 0; }

const char* discrimen_threshold_name(const discrimen_model* model, size_t number) {
    return model && number < model->model.n_thresholds() ? model->model.threshold_name(number).c_str() : nullptr;
}

double discrimen_threshold(const discrimen_model* model, const char* name) {
    return model && name ? model->model.threshold(name) : __builtin_nan("");
}

const char* discrimen_instruction_set(const discrimen_model* model) {
    return model ? model->model.instruction_set() : nullptr;
}

const char* discrimen_description(const discrimen_model* model) {
    return model ? model->model.description().c_str() : nullptr;
}

discrimen_workspace* discrimen_workspace_new(const discrimen_model* model) {
    if (!model) return nullptr;
    try {
        return new discrimen_workspace{discrimen::Workspace(model->model)};
    } catch (...) {
        return nullptr;
    }
}

void discrimen_workspace_free(discrimen_workspace* workspace) { delete workspace; }

discrimen_status discrimen_classify(const discrimen_model* model, discrimen_workspace* workspace,
                                    const discrimen_pulses* pulses, float* scores) {
    if (!model || !workspace || !pulses) return DISCRIMEN_NULL_ARGUMENT;
    return model->model.classify(*pulses, workspace->workspace, scores);
}

const char* discrimen_status_text(discrimen_status status) {
    switch (status) {
        case DISCRIMEN_OK: return "done";
        case DISCRIMEN_NULL_ARGUMENT: return "a pointer that is needed is NULL";
        case DISCRIMEN_RECORD_TOO_SHORT: return "the records are shorter than the model needs";
        case DISCRIMEN_UNKNOWN_TYPE: return "the type of the samples is unknown";
        case DISCRIMEN_WRONG_WORKSPACE: return "the workspace was made for another model";
    }
    return "unknown status";
}

const char* discrimen_version(void) { return DISCRIMEN_VERSION; }

}  // extern "C"
