// The whole network for one tile of pulses: raw samples to results.
#pragma once

#include "affine.hpp"
#include "attention.hpp"
#include "elementwise.hpp"
#include "judge.hpp"
#include "moving.hpp"
#include "neighbours.hpp"
#include "prepare.hpp"
#include "recurrent.hpp"
#include "sample.hpp"
#include "write.hpp"

namespace discrimen::cuda {

template <class Team>
DISCRIMEN_FUNCTION void run_operation(const Team& team, const Operation& op, const Arguments& arguments) {
    switch (op.kind) {
#define DISCRIMEN_CASE(name) \
    case Kind::name: return name(team, op, arguments);
        DISCRIMEN_OPERATIONS(DISCRIMEN_CASE)
#undef DISCRIMEN_CASE
    }
}

// The tile number `number` of a job, in memory of the shape's size that begins at a multiple of 16.
template <class Team>
DISCRIMEN_FUNCTION void run_tile(const Team& team, const Job& job, std::size_t number, char* memory) {
    const NetworkPlan& plan = *job.plan;
    const Tile tile = tile_at(memory, plan, job.shape, number << job.shape.shift, job.view.n_pulses);
    prepare(team, job, tile);
    if (job.outside) judge(team, job, tile);
    write_origins(team, job, tile);
    for (int i = 0; i < plan.n_operations; ++i) {
        const Operation& op = plan.operations[i];
        Arguments arguments = {
            {},       tile.values + (op.out << tile.shift),        tile.scratch,  tile.width, tile.shift,
            job.seed, job.first_pulse + std::uint64_t(tile.first), tile.count - 1};
        for (int k = 0; k < most_inputs; ++k) arguments.in[k] = tile.values + (op.in[k] << tile.shift);
        run_operation(team, op, arguments);
    }
    write_results(team, job, tile);
}

}  // namespace discrimen::cuda
