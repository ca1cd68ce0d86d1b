// The plain C interface: a thin coat over the C++ one that lets no exception out.
#include <cstdio>
#include <cstring>
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
    if (!given) return options;
    if (given->size != sizeof *given)
        throw discrimen::Error("the size of the options is " + std::to_string(given->size) + ", expected " +
                               std::to_string(sizeof *given) + ", as sizeof gives it");
    if (given->instruction_set) options.instruction_set = given->instruction_set;
    if (given->device) options.device = given->device;
    return options;
}

// Null if there is no such output.
const discrimen::Output* output_of(const discrimen_model* model, size_t output) noexcept {
    if (!model || output >= model->model.outputs().size()) return nullptr;
    return &model->model.outputs()[output];
}

const discrimen::Threshold* threshold_of(const discrimen_model* model, size_t output, size_t number) noexcept {
    const discrimen::Output* found = output_of(model, output);
    return found && number < found->thresholds.size() ? &found->thresholds[number] : nullptr;
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

size_t discrimen_n_channels(const discrimen_model* model) { return model ? model->model.n_channels() : 0; }

const char* discrimen_channel_name(const discrimen_model* model, size_t number) {
    return model && number < model->model.n_channels() ? model->model.channel_names()[number].c_str() : nullptr;
}

int discrimen_takes_absent(const discrimen_model* model) { return model && model->model.takes_absent() ? 1 : 0; }

size_t discrimen_shortest_record(const discrimen_model* model) { return model ? model->model.shortest_record() : 0; }

double discrimen_sample_period_ns(const discrimen_model* model) { return model ? model->model.sample_period_ns() : 0; }

int discrimen_knows_domain(const discrimen_model* model) { return model && model->model.knows_domain() ? 1 : 0; }

const char* discrimen_instruction_set(const discrimen_model* model) {
    return model ? model->model.instruction_set() : nullptr;
}

const char* discrimen_description(const discrimen_model* model) {
    return model ? model->model.description().c_str() : nullptr;
}

size_t discrimen_n_outputs(const discrimen_model* model) { return model ? model->model.outputs().size() : 0; }

size_t discrimen_output_number(const discrimen_model* model, const char* name) {
    if (!model) return 0;
    return name ? model->model.output_number(name) : model->model.outputs().size();
}

discrimen_status discrimen_describe_output(const discrimen_model* model, size_t output, discrimen_output* description) {
    if (!model || !description) return DISCRIMEN_NULL_ARGUMENT;
    const discrimen::Output* found = output_of(model, output);
    if (!found) return DISCRIMEN_NO_SUCH_OUTPUT;
    discrimen_output all{};
    if (description->size < sizeof all.size || description->size > sizeof all) return DISCRIMEN_WRONG_SIZE;
    all.size = description->size;
    all.name = found->name.c_str();
    all.kind = found->kind;
    all.unit = found->unit.c_str();
    all.n_axes = found->shape.size();
    for (size_t axis = 0; axis < all.n_axes; ++axis) all.shape[axis] = found->shape[axis];
    all.with_error = found->with_error ? 1 : 0;
    all.n_values = found->n_values;
    all.n_names = found->names.size();
    all.n_thresholds = found->thresholds.size();
    std::memcpy(description, &all, all.size);
    return DISCRIMEN_OK;
}

const char* discrimen_output_item_name(const discrimen_model* model, size_t output, size_t number) {
    const discrimen::Output* found = output_of(model, output);
    return found && number < found->names.size() ? found->names[number].c_str() : nullptr;
}

const char* discrimen_output_threshold_name(const discrimen_model* model, size_t output, size_t number) {
    const discrimen::Threshold* found = threshold_of(model, output, number);
    return found ? found->name.c_str() : nullptr;
}

double discrimen_output_threshold(const discrimen_model* model, size_t output, size_t number) {
    const discrimen::Threshold* found = threshold_of(model, output, number);
    return found ? found->value : __builtin_nan("");
}

double discrimen_output_threshold_at(const discrimen_model* model, size_t output, size_t number, double height_adc) {
    const discrimen::Threshold* found = threshold_of(model, output, number);
    return found ? found->at(height_adc) : __builtin_nan("");
}

size_t discrimen_output_threshold_n_knots(const discrimen_model* model, size_t output, size_t number) {
    const discrimen::Threshold* found = threshold_of(model, output, number);
    return found ? found->knots.size() : 0;
}

discrimen_status discrimen_output_threshold_knot(const discrimen_model* model, size_t output, size_t number,
                                                 size_t knot, double* height_adc, double* threshold) {
    if (!model || !height_adc || !threshold) return DISCRIMEN_NULL_ARGUMENT;
    if (!output_of(model, output)) return DISCRIMEN_NO_SUCH_OUTPUT;
    const discrimen::Threshold* found = threshold_of(model, output, number);
    if (!found || knot >= found->knots.size()) return DISCRIMEN_NO_SUCH_THRESHOLD;
    *height_adc = found->knots[knot].height_adc;
    *threshold = found->knots[knot].threshold;
    return DISCRIMEN_OK;
}

size_t discrimen_output_threshold_class(const discrimen_model* model, size_t output, size_t number) {
    const discrimen::Threshold* found = threshold_of(model, output, number);
    return found ? found->class_number : 0;
}

size_t discrimen_n_classes(const discrimen_model* model) { return model ? model->model.n_classes() : 0; }

const char* discrimen_class_name(const discrimen_model* model, size_t number) {
    return model && number < model->model.n_classes() ? model->model.class_name(number).c_str() : nullptr;
}

size_t discrimen_class_number(const discrimen_model* model, const char* name) {
    if (!model) return 0;
    return name ? model->model.class_number(name) : model->model.n_classes();
}

size_t discrimen_n_thresholds(const discrimen_model* model) { return model ? model->model.n_thresholds() : 0; }

const char* discrimen_threshold_name(const discrimen_model* model, size_t number) {
    return model && number < model->model.n_thresholds() ? model->model.threshold_name(number).c_str() : nullptr;
}

double discrimen_threshold(const discrimen_model* model, const char* name) {
    return model && name ? model->model.threshold(name) : __builtin_nan("");
}

size_t discrimen_threshold_number(const discrimen_model* model, const char* name) {
    if (!model) return 0;
    size_t number = 0;
    while (number < model->model.n_thresholds() && !(name && model->model.threshold_name(number) == name)) ++number;
    return number;
}

size_t discrimen_threshold_class(const discrimen_model* model, const char* name) {
    if (!model) return 0;
    return name ? model->model.threshold_class(name) : model->model.n_classes();
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

discrimen_status discrimen_run(const discrimen_model* model, discrimen_workspace* workspace,
                               const discrimen_pulses* pulses, const discrimen_results* results) noexcept {
    if (!model || !workspace || !pulses || !results) return DISCRIMEN_NULL_ARGUMENT;
    return model->model.run(*pulses, workspace->workspace, *results);
}

discrimen_status discrimen_classify(const discrimen_model* model, discrimen_workspace* workspace,
                                    const discrimen_pulses* pulses, float* scores) noexcept {
    if (!model || !workspace || !pulses) return DISCRIMEN_NULL_ARGUMENT;
    return model->model.classify(*pulses, workspace->workspace, scores);
}

discrimen_status discrimen_decide(const discrimen_model* model, size_t output, size_t number, const float* values,
                                  const float* height_adc, size_t n_pulses, uint8_t* passes) noexcept {
    if (!model) return DISCRIMEN_NULL_ARGUMENT;
    return model->model.decide(output, number, values, height_adc, n_pulses, passes);
}

const char* discrimen_status_text(discrimen_status status) {
    switch (status) {
        case DISCRIMEN_OK: return "done";
        case DISCRIMEN_NULL_ARGUMENT: return "a pointer that is needed is NULL";
        case DISCRIMEN_RECORD_TOO_SHORT: return "the records are shorter than the model needs";
        case DISCRIMEN_UNKNOWN_TYPE: return "the type of the samples is unknown";
        case DISCRIMEN_WRONG_WORKSPACE: return "the workspace was made for another model";
        case DISCRIMEN_WRONG_SIZE: return "the size of a struct is not one that this library knows";
        case DISCRIMEN_WRONG_CHANNELS: return "the pulses have not as many channels as the model takes";
        case DISCRIMEN_CHANNEL_ABSENT: return "a channel is absent, and the model takes whole pulses only";
        case DISCRIMEN_NO_CLASSES: return "no output of the model tells classes apart";
        case DISCRIMEN_NO_SUCH_OUTPUT: return "the model has no output of that number";
        case DISCRIMEN_UNKNOWN_DOMAIN: return "the model does not know what pulses it has seen";
        case DISCRIMEN_NO_HEIGHT: return "the model takes several channels, and such a pulse has no one height";
        case DISCRIMEN_NO_SUCH_THRESHOLD: return "the output has no threshold of that number";
        case DISCRIMEN_DEVICE_FAILED:
            return "the CUDA device failed in the middle, and results are NaN; load the model anew, or on the device "
                   "cpu";
        case DISCRIMEN_RECORD_TOO_LONG: return "the records are longer than the buffers for a CUDA device";
    }
    return "unknown status";
}

const char* discrimen_version(void) { return DISCRIMEN_VERSION; }

}  // extern "C"
