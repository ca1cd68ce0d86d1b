// discrimen.formats._records: regular text as arrays.
#include "text_records.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Numbers = nb::ndarray<std::uint16_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Fields = nb::ndarray<std::int64_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

std::int64_t read_records(const nb::bytes& text, const std::vector<nb::bytes>& prefixes, char field_end, char separator,
                          Fields fields, Numbers numbers) {
    discrimen::text::Layout layout{{}, field_end, separator, numbers.shape(1)};
    for (const nb::bytes& prefix : prefixes) layout.prefixes.emplace_back(prefix.c_str(), prefix.size());
    if (layout.n_numbers == 0) throw nb::value_error("a record must have at least one number");
    if (fields.shape(0) != numbers.shape(0) || fields.shape(1) != prefixes.size() || fields.shape(2) != 3)
        throw nb::value_error("fields must have one row a record, and start, stop and value of each prefix");
    static_assert(sizeof(discrimen::text::Field) == 3 * sizeof(std::int64_t));
    const char* begin = text.c_str();
    auto* places = reinterpret_cast<discrimen::text::Field*>(fields.data());
    nb::gil_scoped_release release;
    return discrimen::text::read_records(begin, begin + text.size(), layout, numbers.shape(0), places, numbers.data());
}

}  // namespace

NB_MODULE(_records, module) {
    module.def("read_records", &read_records, "text"_a, "prefixes"_a, "field_end"_a, "separator"_a,
               "fields"_a.noconvert(), "numbers"_a.noconvert());
}
