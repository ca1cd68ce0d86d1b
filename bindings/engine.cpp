// The engine for Python: a table of contents. Arrays are borrowed, never copied; the interpreter is free meanwhile.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "discrimen/measure.hpp"
#include "discrimen/model.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Scores = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// A two-dimensional array as its owner describes it: strides in bytes, so that samples may lie at odd addresses.
class Samples {
   public:
    explicit Samples(nb::handle array) {
        if (PyObject_GetBuffer(array.ptr(), &view_, PyBUF_STRIDES | PyBUF_FORMAT) != 0) throw nb::python_error();
    }
    ~Samples() { PyBuffer_Release(&view_); }
    Samples(const Samples&) = delete;
    Samples& operator=(const Samples&) = delete;

    std::size_t n_pulses() const { return static_cast<std::size_t>(view_.shape[0]); }

    discrimen::Pulses pulses(std::uint32_t mask) const {
        if (view_.ndim != 2) throw nb::value_error("samples must have two axes");
        return {view_.buf,        n_pulses(),       static_cast<std::size_t>(view_.shape[1]),
                view_.strides[0], view_.strides[1], type(),
                mask};
    }

   private:
    discrimen_sample_type type() const {
        std::string format = view_.format ? view_.format : "";
        if (format.size() == 2 && (format[0] == '=' || format[0] == '<')) format.erase(0, 1);  // not aligned
        static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
        if (format == "h") return DISCRIMEN_INT16;
        if (format == "H") return DISCRIMEN_UINT16;
        if (format == "i") return DISCRIMEN_INT32;
        if (format == "f") return DISCRIMEN_FLOAT32;
        throw nb::type_error("samples must be int16, uint16, int32 or float32 of this machine's byte order");
    }

    Py_buffer view_;
};

void classify(const discrimen::Model& model, discrimen::Workspace& workspace, nb::handle array, Scores scores,
              std::uint32_t mask) {
    const Samples samples(array);
    const discrimen::Pulses pulses = samples.pulses(mask);
    if (scores.shape(0) != pulses.n_pulses || scores.shape(1) != model.n_classes())
        throw nb::value_error("scores must have one row a pulse and one column a class");
    discrimen::Status status;
    {
        nb::gil_scoped_release release;
        status = model.classify(pulses, workspace, scores.data());
    }
    if (status != DISCRIMEN_OK) throw nb::value_error(discrimen_status_text(status));
}

std::vector<double> single_pulse_ns(const std::string& path, const std::string& instruction_set, nb::handle array,
                                    std::size_t n_calls) {
    const Samples samples(array);
    const discrimen::Pulses pulses = samples.pulses(0);
    char why[512] = "";
    const discrimen_options options = {instruction_set.empty() ? nullptr : instruction_set.c_str(), nullptr};
    const std::unique_ptr<discrimen_model, void (*)(discrimen_model*)> model(
        discrimen_load(path.c_str(), &options, why, sizeof why), discrimen_free);
    if (!model) throw discrimen::Error(why);
    nb::gil_scoped_release release;
    return discrimen::single_pulse_ns(model.get(), pulses, n_calls);
}

}  // namespace

NB_MODULE(_native, module) {
    module.doc() = "The native engine; use it through discrimen.inference.native.";
    nb::exception<discrimen::Error>(module, "EngineError", PyExc_ValueError);

    nb::class_<discrimen::Model>(module, "Model")
        .def_static(
            "load",
            [](const std::string& path, const std::string& instruction_set, const std::string& device) {
                return discrimen::Model::load(path, {instruction_set, device});
            },
            "path"_a, "instruction_set"_a = "", "device"_a = "cpu")
        .def_prop_ro("n_classes", &discrimen::Model::n_classes)
        .def_prop_ro("shortest_record", &discrimen::Model::shortest_record)
        .def_prop_ro("instruction_set", &discrimen::Model::instruction_set)
        .def_prop_ro("workspace_bytes", &discrimen::Model::workspace_bytes)
        .def("peak_multiply_adds_hz", &discrimen::Model::peak_multiply_adds_hz,
             nb::call_guard<nb::gil_scoped_release>());

    nb::class_<discrimen::Workspace>(module, "Workspace").def(nb::init<const discrimen::Model&>(), "model"_a);

    // Scores of another type or layout are refused: a converted copy would be filled, and thrown away.
    module.def("classify", &classify, "model"_a, "workspace"_a, "samples"_a, "scores"_a.noconvert(), "mask"_a = 0);
    module.def("single_pulse_ns", &single_pulse_ns, "path"_a, "instruction_set"_a, "samples"_a, "n_calls"_a);
    module.def("copy_bytes_hz", &discrimen::copy_bytes_hz, "size"_a, nb::call_guard<nb::gil_scoped_release>());
}
