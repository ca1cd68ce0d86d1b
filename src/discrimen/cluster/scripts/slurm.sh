
programs='sbatch squeue'

jobs_in_queue() { # as JOB:STATE:REASON
  own=$(squeue -h -u "$(id -u)" -o '%F:%T:%r %Z') || return 1
  echo "$own" | while read -r job where; do
    if [ "$where" = "$folder" ]; then echo "$job"; fi
  done
}

submit_tasks() { # stamp, number of tasks
  most=$(scontrol show config | sed -n 's/^MaxArraySize *= *\([0-9][0-9]*\).*/\1/p')
  begun=0
  while [ "$begun" -lt "$2" ]; do
    n=$(($2 - begun))
    if [ "$n" -gt "${most:-1001}" ]; then n=${most:-1001}; fi
    job=$(sbatch --parsable --chdir="$folder" --array="0-$((n - 1))$at_once" \
      --output="logs/$1/%A_%a.out" --error="logs/$1/%A_%a.err" job.sh "$1" "$((begun * files_per_job))") || return 1
    begun=$((begun + n))
    echo "job ${job%%;*}: $n tasks, logs in $folder/logs/$1"
  done
}
