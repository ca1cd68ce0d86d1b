#include "list.hpp"

namespace discrimen::layers {

// Inputs query, key and value; the heads lie side by side along the channels.
void Attention(Planner& planner) {
    planner.expect(3, 1, {});
    const auto heads = std::size_t(planner.option(0, 1, most_option));
    const Shape &query = planner.in_steps(0), &key = planner.in_steps(1), &value = planner.in_steps(2);
    if (query.channels != key.channels || key.steps != value.steps)
        throw Error("query, key and value have the shapes " + text_of(query) + ", " + text_of(key) + " and " +
                    text_of(value));
    if (query.channels % heads != 0 || value.channels % heads != 0)
        throw Error(number(query.channels) + " and " + number(value.channels) + " channels do not make " +
                    number(heads) + " heads");
    const std::int32_t steps = std::int32_t(value.steps), channels = std::int32_t(value.channels);
    planner.scratch(value.steps + pad_to);  // the weights of one query
    planner.give({query.steps, value.channels, true});
    Operation& op = planner.add(Kind::attention, {0, 1, 2});
    op.groups = std::int32_t(heads);
    op.steps_other = steps;
    op.channels_other = channels;
}

}  // namespace discrimen::layers
