#include "frozen_domain.hpp"

#include <algorithm>
#include <cmath>

namespace discrimen {
namespace {

// Of the first range; the edge lies behind `edge_after` and not behind `edge_until`.
void read_range(Cursor& cursor, DomainPlan& domain, std::int32_t number) {
    domain.begins[number] = cursor.take<float>();
    domain.least_spread[number] = cursor.take<float>();
    domain.most_spread[number] = cursor.take<float>();
    const auto after = cursor.take<std::int32_t>(), until = cursor.take<std::int32_t>();
    domain.edge_after[number] = float(after);
    domain.edge_until[number] = float(until);
    domain.first_edge = number == 0 ? after : std::min(domain.first_edge, after);
    domain.last_edge = number == 0 ? until : std::max(domain.last_edge, until);
    domain.one_edge = number == 0 || (domain.one_edge && after == domain.first_edge && until == domain.last_edge &&
                                      domain.edge_after[0] == float(after) && domain.edge_until[0] == float(until));
    domain.least_square[number] = cursor.take<float>() * float(domain.n_rows);
    domain.most_square[number] = cursor.take<float>() * float(domain.n_rows);
}

// Lanes look their range up: there must be something in every place.
void repeat_last_range(DomainPlan& domain) {
    for (float* limits : {domain.begins, domain.least_spread, domain.most_spread, domain.edge_after, domain.edge_until,
                          domain.least_square, domain.most_square})
        std::fill(limits + domain.n_ranges, limits + most_ranges, limits[domain.n_ranges - 1]);
}

void read_shape(Cursor& cursor, DomainPlan& domain) {
    for (std::int32_t i = 0; i < domain.n_rows; ++i) domain.rows[i] = cursor.take<std::int32_t>();
    for (std::int32_t i = 0; i < domain.n_rows; ++i) domain.offset[i] = cursor.take<float>();
    for (std::int32_t i = 0; i < domain.n_rows; ++i) {
        domain.weight[i] = cursor.take<float>();
        domain.offset[i] *= domain.weight[i];
    }
    for (std::int32_t k = 0; k < domain.n_components; ++k)
        for (std::int32_t i = 0; i < domain.n_rows; ++i) domain.components[i][k] = cursor.take<float>();
}

bool possible(const DomainPlan& domain, std::int32_t length) {
    if (domain.first_edge < -1 || domain.last_edge >= length) return false;
    for (std::int32_t i = 0; i < domain.n_ranges; ++i)
        if (!(domain.edge_after[i] < domain.edge_until[i]) || (i > 0 && !(domain.begins[i - 1] <= domain.begins[i])))
            return false;
    for (std::int32_t i = 0; i < domain.n_rows; ++i) {
        if (domain.rows[i] < 0 || domain.rows[i] >= length || !std::isfinite(domain.weight[i] + domain.offset[i]))
            return false;
        for (const float component : domain.components[i])
            if (!std::isfinite(component)) return false;
    }
    return domain.lowest > 0 && std::isfinite(domain.highest) && std::isfinite(domain.quiet);
}

std::int32_t count(Cursor& cursor, std::uint32_t most) {
    const auto found = cursor.take<std::uint32_t>();
    if (found < 1 || found > most) throw Error("domain: expected 1 to " + number(most) + ", got " + number(found));
    return std::int32_t(found);
}

}  // namespace

DomainPlan read_domain(Cursor cursor, const FrozenInput& input) {
    DomainPlan domain{};
    domain.known = true;
    domain.n_ranges = count(cursor, most_ranges);
    domain.n_rows = count(cursor, most_rows);
    domain.n_components = count(cursor, most_components);
    domain.lowest = cursor.take<float>();
    domain.highest = cursor.take<float>();
    domain.quiet = cursor.take<float>();
    const auto rail = cursor.take<float>();
    for (std::int32_t i = 0; i < domain.n_ranges; ++i) read_range(cursor, domain, i);
    repeat_last_range(domain);
    read_shape(cursor, domain);
    cursor.finish();
    if (input.channels.size() != 1 || input.channels[0].baseline_start == input.channels[0].baseline_stop ||
        std::isnan(rail) || !possible(domain, input.window_length))
        throw Error("the domain is not a possible one for this input");
    domain.clipped_from = float(input.channels[0].polarity) * rail - 0.5f;
    return domain;
}

}  // namespace discrimen
