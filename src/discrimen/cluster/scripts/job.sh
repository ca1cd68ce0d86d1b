# One job: files_per_job lines of a list of run files. Its arguments: the list, and how many of its lines go before.
set -u

complain() { echo "discrimen: $*" >&2; exit 1; }

list="$folder/lists/${1:?the name of a list}.txt"
first=$(( ${2:?a number of lines} + ${SLURM_ARRAY_TASK_ID:-0} * files_per_job ))
mapfile -t files < <(sed -n "$(( first + 1 )),$(( first + files_per_job ))p" "$list")
(( ${#files[@]} )) || complain "$list: expected run files behind line $first, found none"
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) on $(hostname): ${#files[@]} run files behind line $first of $list"

sha256sum --check --status "$folder/model.sha256" ||
  complain "$model: not the model for which this batch was written; write the batch again, for another folder of results"
# Bash before 4.4 takes an empty array for an unset one.
program=(${enter[@]+"${enter[@]}"} "${command[@]}")
here=$("${program[@]}" --version) || complain "the program does not start on $(hostname): ${program[*]}"
[[ -z $version || $here == "$version" ]] ||
  complain "$here runs on $(hostname), but $version wrote this batch; write it again"

cd "$start_folder" || complain "$start_folder: not visible on $(hostname)"
export OMP_NUM_THREADS=$cpus
exec "${program[@]}" "$task" "$model" "${files[@]}" -o "$output" ${options[@]+"${options[@]}"}
