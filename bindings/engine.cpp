// The engine for Python: a table of contents. Arrays are borrowed, never copied; the interpreter is free meanwhile.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "discrimen/measure.hpp"
#include "discrimen/model.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Scores = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Values = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using Flags = nb::ndarray<std::uint16_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Heights = nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Passes = nb::ndarray<std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Restoration = nb::ndarray<double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// An array as its owner describes it: strides in bytes, so that samples may lie at odd addresses.
class Buffer {
   public:
    explicit Buffer(nb::handle array) {
        if (PyObject_GetBuffer(array.ptr(), &view_, PyBUF_STRIDES | PyBUF_FORMAT) != 0) throw nb::python_error();
    }
    ~Buffer() { PyBuffer_Release(&view_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    int n_axes() const { return view_.ndim; }
    std::size_t shape(int axis) const { return static_cast<std::size_t>(view_.shape[axis]); }
    std::ptrdiff_t stride(int axis) const { return view_.strides[axis]; }
    const void* data() const { return view_.buf; }

    std::string format() const {
        std::string format = view_.format ? view_.format : "";
        if (format.size() == 2 && (format[0] == '=' || format[0] == '<')) format.erase(0, 1);  // not aligned
        return format;
    }

   private:
    Py_buffer view_;
};

discrimen_sample_type type_of(const Buffer& samples) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    const std::string format = samples.format();
    if (format == "h") return DISCRIMEN_INT16;
    if (format == "H") return DISCRIMEN_UINT16;
    if (format == "i") return DISCRIMEN_INT32;
    if (format == "f") return DISCRIMEN_FLOAT32;
    throw nb::type_error("samples must be int16, uint16, int32 or float32 of this machine's byte order");
}

// Samples of shape (pulse, sample) or (pulse, channel, sample).
discrimen::Pulses pulses_of(const Buffer& samples, std::uint32_t bits) {
    const int n_axes = samples.n_axes();
    if (n_axes != 2 && n_axes != 3)
        throw nb::value_error("samples must have the axes (pulse, sample) or (pulse, channel, sample)");
    discrimen::Pulses pulses{};
    pulses.size = sizeof pulses;
    pulses.samples = samples.data();
    pulses.n_pulses = samples.shape(0);
    pulses.n_samples = samples.shape(n_axes - 1);
    pulses.pulse_stride = samples.stride(0);
    pulses.sample_stride = samples.stride(n_axes - 1);
    pulses.type = type_of(samples);
    pulses.bits = bits;
    pulses.n_channels = n_axes == 3 ? samples.shape(1) : 1;
    pulses.channel_stride = n_axes == 3 ? samples.stride(1) : 0;
    // No channels would stand for one.
    if (pulses.n_channels == 0) throw nb::value_error("samples have no channel");
    return pulses;
}

// Which channels are there: bytes of shape (pulse, channel), channels one behind the other.
void add_present(const Buffer& present, discrimen::Pulses& pulses) {
    const std::string format = present.format();
    if (format != "?" && format != "B") throw nb::type_error("present must be bool or uint8");
    if (present.n_axes() != 2 || present.shape(0) != pulses.n_pulses || present.shape(1) != pulses.n_channels ||
        (present.shape(1) > 1 && present.stride(1) != 1))
        throw nb::value_error("present must have one row a pulse and one column a channel, behind one another");
    pulses.present = static_cast<const std::uint8_t*>(present.data());
    pulses.present_stride = present.stride(0);
}

void check(discrimen::Status status) {
    if (status == DISCRIMEN_DEVICE_FAILED || status == DISCRIMEN_RECORD_TOO_LONG)
        throw discrimen::Error(discrimen_status_text(status));
    if (status != DISCRIMEN_OK) throw nb::value_error(discrimen_status_text(status));
}

// Where each output goes: arrays of n_values numbers a pulse, of any shape, or none.
std::vector<float*> pointers_to(const discrimen::Model& model, const std::vector<std::optional<Values>>& outputs,
                                std::size_t n_pulses) {
    if (outputs.size() != model.outputs().size())
        throw nb::value_error(
            ("expected " + std::to_string(model.outputs().size()) + " outputs, got " + std::to_string(outputs.size()))
                .c_str());
    std::vector<float*> pointers;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::size_t wanted = n_pulses * model.outputs()[i].n_values;
        const std::optional<Values>& output = outputs[i];
        if (output && (output->ndim() < 1 || output->size() != wanted))
            throw nb::value_error(("output " + std::to_string(i) + " must hold " + std::to_string(wanted) +
                                   " numbers, got " + std::to_string(output->size()))
                                      .c_str());
        pointers.push_back(output ? output->data() : nullptr);
    }
    return pointers;
}

void run(const discrimen::Model& model, discrimen::Workspace& workspace, nb::handle array,
         const std::vector<std::optional<Values>>& outputs, const std::optional<Restoration>& restoration,
         nb::handle present, std::uint32_t bits, std::uint64_t seed, const std::optional<Flags>& outside,
         const std::optional<Heights>& height_adc) {
    const Buffer samples(array);
    discrimen::Pulses pulses = pulses_of(samples, bits);
    std::optional<Buffer> there;
    if (!present.is_none()) {
        there.emplace(present);
        add_present(*there, pulses);
    }
    const std::vector<float*> pointers = pointers_to(model, outputs, pulses.n_pulses);
    discrimen::Results results = discrimen_results_to(pointers.data());
    results.seed = seed;
    if (restoration) {
        if (restoration->shape(0) != pulses.n_pulses || restoration->shape(1) != 2 + model.n_channels())
            throw nb::value_error("restoration must have one row a pulse, and 2 columns and one a channel");
        results.restoration = restoration->data();
    }
    if (outside) {
        if (outside->shape(0) != pulses.n_pulses) throw nb::value_error("outside must have one number a pulse");
        results.outside = outside->data();
    }
    if (height_adc) {
        if (height_adc->shape(0) != pulses.n_pulses) throw nb::value_error("height_adc must have one number a pulse");
        results.height_adc = height_adc->data();
    }
    discrimen::Status status;
    {
        nb::gil_scoped_release release;
        status = model.run(pulses, workspace, results);
    }
    check(status);
}

void classify(const discrimen::Model& model, discrimen::Workspace& workspace, nb::handle array, Scores scores,
              std::uint32_t bits) {
    const Buffer samples(array);
    const discrimen::Pulses pulses = pulses_of(samples, bits);
    if (scores.shape(0) != pulses.n_pulses || scores.shape(1) != model.n_classes())
        throw nb::value_error("scores must have one row a pulse and one column a class");
    discrimen::Status status;
    {
        nb::gil_scoped_release release;
        status = model.classify(pulses, workspace, scores.data());
    }
    check(status);
}

void decide(const discrimen::Model& model, std::size_t output, std::size_t number, Scores values, Heights height_adc,
            Passes passes) {
    const std::size_t n_pulses = values.shape(0);
    if (output >= model.outputs().size() || values.shape(1) != model.outputs()[output].n_values ||
        height_adc.shape(0) != n_pulses || passes.shape(0) != n_pulses)
        throw nb::value_error("values must have one row a pulse and one column a value, the rest one number a pulse");
    nb::gil_scoped_release release;
    check(model.decide(output, number, values.data(), height_adc.data(), n_pulses, passes.data()));
}

std::vector<double> single_pulse_ns(const std::string& path, const std::string& instruction_set, nb::handle array,
                                    std::size_t n_calls) {
    const Buffer samples(array);
    const discrimen::Pulses pulses = pulses_of(samples, 0);
    char why[512] = "";
    const discrimen_options options = {sizeof options, instruction_set.empty() ? nullptr : instruction_set.c_str(),
                                       nullptr};
    const std::unique_ptr<discrimen_model, void (*)(discrimen_model*)> model(
        discrimen_load(path.c_str(), &options, why, sizeof why), discrimen_free);
    if (!model) throw discrimen::Error(why);
    nb::gil_scoped_release release;
    return discrimen::single_pulse_ns(model.get(), pulses, n_calls);
}

// "program", "host" or "device": where samples and outputs lie.
std::vector<double> batch_ns(const discrimen::Model& model, nb::handle array, const std::string& place,
                             std::size_t n_calls) {
    const Buffer samples(array);
    const discrimen::Pulses pulses = pulses_of(samples, 0);
    const auto size = static_cast<std::ptrdiff_t>(pulses.n_channels * pulses.n_samples) * pulses.sample_stride;
    if (pulses.pulse_stride != size) throw nb::value_error("samples must lie one behind the other");
    nb::gil_scoped_release release;
    return discrimen::batch_ns(model, pulses, place != "program",
                               place == "device" ? discrimen::Buffer::device : discrimen::Buffer::host, n_calls);
}

double device_copy_bytes_hz(const discrimen::Model& model, bool from_device, std::size_t size) {
    nb::gil_scoped_release release;
    return discrimen::device_copy_bytes_hz(model, from_device ? discrimen::Buffer::device : discrimen::Buffer::host,
                                           size);
}

}  // namespace

NB_MODULE(_native, module) {
    module.doc() = "The native engine; use it through discrimen.inference.native.";
    nb::exception<discrimen::Error>(module, "EngineError", PyExc_ValueError);

    nb::class_<discrimen::Threshold>(module, "Threshold")
        .def_ro("name", &discrimen::Threshold::name)
        .def_ro("value", &discrimen::Threshold::value)
        .def("at", &discrimen::Threshold::at, "height_adc"_a)
        .def_ro("class_number", &discrimen::Threshold::class_number);

    nb::class_<discrimen::Output>(module, "Output")
        .def_ro("name", &discrimen::Output::name)
        .def_prop_ro("kind", [](const discrimen::Output& output) { return int(output.kind); })
        .def_ro("unit", &discrimen::Output::unit)
        .def_ro("shape", &discrimen::Output::shape)
        .def_ro("with_error", &discrimen::Output::with_error)
        .def_ro("n_values", &discrimen::Output::n_values)
        .def_ro("names", &discrimen::Output::names)
        .def_ro("thresholds", &discrimen::Output::thresholds);

    nb::class_<discrimen::Model>(module, "Model")
        .def_static(
            "load",
            [](const std::string& path, const std::string& instruction_set, const std::string& device) {
                return discrimen::Model::load(path, {instruction_set, device});
            },
            "path"_a, "instruction_set"_a = "", "device"_a = "cpu")
        .def_static(
            "from_memory",
            [](const nb::bytes& content, const std::string& instruction_set, const std::string& device) {
                return discrimen::Model::from_memory(content.c_str(), content.size(), {instruction_set, device});
            },
            "content"_a, "instruction_set"_a = "", "device"_a = "cpu")
        .def_prop_ro("n_channels", &discrimen::Model::n_channels)
        .def_prop_ro("channel_names", &discrimen::Model::channel_names)
        .def_prop_ro("takes_absent", &discrimen::Model::takes_absent)
        .def_prop_ro("knows_domain", &discrimen::Model::knows_domain)
        .def_prop_ro("outputs", &discrimen::Model::outputs)
        .def_prop_ro("n_classes", &discrimen::Model::n_classes)
        .def_prop_ro("shortest_record", &discrimen::Model::shortest_record)
        .def_prop_ro("sample_period_ns", &discrimen::Model::sample_period_ns)
        .def_prop_ro("description", &discrimen::Model::description)
        .def_prop_ro("instruction_set", &discrimen::Model::instruction_set)
        .def_prop_ro("workspace_bytes", &discrimen::Model::workspace_bytes)
        .def("peak_multiply_adds_hz", &discrimen::Model::peak_multiply_adds_hz,
             nb::call_guard<nb::gil_scoped_release>());

    nb::class_<discrimen::Workspace>(module, "Workspace").def(nb::init<const discrimen::Model&>(), "model"_a);

    // Results of another type or layout are refused: a converted copy would be filled, and thrown away.
    module.def("run", &run, "model"_a, "workspace"_a, "samples"_a, "outputs"_a.noconvert(),
               "restoration"_a.noconvert() = nb::none(), "present"_a = nb::none(), "bits"_a = 0, "seed"_a = 0,
               "outside"_a.noconvert() = nb::none(), "height_adc"_a.noconvert() = nb::none());
    module.def("decide", &decide, "model"_a, "output"_a, "number"_a, "values"_a.noconvert(), "height_adc"_a.noconvert(),
               "passes"_a.noconvert());
    module.def("classify", &classify, "model"_a, "workspace"_a, "samples"_a, "scores"_a.noconvert(), "bits"_a = 0);
    module.def("single_pulse_ns", &single_pulse_ns, "path"_a, "instruction_set"_a, "samples"_a, "n_calls"_a);
    module.def("batch_ns", &batch_ns, "model"_a, "samples"_a, "place"_a, "n_calls"_a);
    module.def("device_copy_bytes_hz", &device_copy_bytes_hz, "model"_a, "from_device"_a, "size"_a);
    module.def("copy_bytes_hz", &discrimen::copy_bytes_hz, "size"_a, nb::call_guard<nb::gil_scoped_release>());
}
