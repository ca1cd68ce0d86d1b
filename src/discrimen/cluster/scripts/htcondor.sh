
programs='condor_submit condor_q'

jobs_in_queue() { # as JOB, and why it is held if it is
  condor_q -constraint "Iwd == \"$folder\"" \
    -af 'ifThenElse(JobStatus == 5, strcat(ClusterId, " held: ", HoldReason), ClusterId)'
}

submit_tasks() { # stamp, number of tasks
  task=0
  while [ "$task" -lt "$2" ]; do
    echo "$((task * files_per_job))"
    task=$((task + 1))
  done > "lists/$1.first"
  { echo "stamp = $1"; cat job.sub; echo "queue first from lists/$1.first"; } > "lists/$1.sub"
  condor_submit "lists/$1.sub" || return 1
  echo "$2 jobs, logs in $folder/logs/$1"
}
