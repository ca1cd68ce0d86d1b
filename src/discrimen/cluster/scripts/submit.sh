set -eu

complain() { echo "submit: $*" >&2; exit 1; }
one_line() { tr '\n' ' ' | sed 's/ *$//'; }

dry=no
case "${1-}" in
  '') ;;
  -n) dry=yes ;;
  *) complain "expected nothing or -n, got $1" ;;
esac
cd "$folder"
mkdir -p lists logs
sha256sum --check --status model.sha256 ||
  complain "the model is not the one for which this batch was written; write it again, for another folder of $results"

stamp=$(date -u +%Y%m%dT%H%M%SZ)-$$
todo=lists/$stamp.txt
told=lists/.$stamp.told
trap 'rm -f "$told" "$told.n"' EXIT
last=$(ls lists | sed -n 's/\.txt$//p' | tail -n 1)

if [ "$dry" = no ]; then
  for name in $programs; do
    command -v "$name" > "$told" || complain "$name is not there; run this where jobs are submitted"
  done
  queued=$(jobs_in_queue 2> "$told") || complain "the batch system does not answer: $(one_line < "$told")"
  queued=$(echo "$queued" | sort -u | head -n 3 | tr '\n' ';' | sed 's/;*$//; s/;/; /g')
  [ -z "$queued" ] || complain "jobs of this batch are in the queue ($queued): wait for them, or cancel them"
fi

tab=$(printf '\t')
while IFS="$tab" read -r input scores; do
  # -nt is not POSIX, but every sh of Linux has it.
  if [ -e "$scores" ] && ! [ "$input" -nt "$scores" ]; then
    echo complete >&3
  elif [ -r "$input" ]; then
    echo todo >&3
    printf '%s\n' "$input"
  else
    echo gone >&3
    echo "submit: $input: cannot be read (any more), left out" >&2
  fi
done < files.txt > "$todo" 3> "$told.n"
count() { grep -c "^$1\$" "$told.n" || true; }
n_complete=$(count complete)
n_todo=$(count todo)
n_gone=$(count gone)
n_tasks=$(((n_todo + files_per_job - 1) / files_per_job))
echo "$((n_complete + n_todo + n_gone)) run files: $n_complete have their $results, $n_todo to do in $n_tasks jobs, $n_gone gone"

if [ "$n_todo" -gt 0 ] && [ -n "$last" ] && [ -d "logs/$last" ]; then
  endings() { grep -rlE "$1" "logs/$last" | wc -l; }
  n_late=$(endings 'DUE TO TIME LIMIT|exceeded allowed execute duration')
  [ "$n_late" -eq 0 ] || echo "of the jobs before, $n_late did not end within $longest_s s: write the batch again with a longer --time"
  n_fat=$(endings 'oom[-_ ]kill|Out Of Memory|memory usage exceeded')
  [ "$n_fat" -eq 0 ] || echo "of the jobs before, $n_fat wanted more memory: write the batch again with more --memory"
  grep -rhE '^(discrimen|Error): ' "logs/$last" | sort -u | tail -n 5 | sed 's/^/of the jobs before: /'
  echo "logs of the jobs before: $folder/logs/$last"
fi

if [ "$dry" = yes ] || [ "$n_todo" -eq 0 ]; then
  rm -f "$todo"
else
  mkdir -p "logs/$stamp"
  begun=0
  submit_tasks "$stamp" "$n_tasks" 2> "$told" || {
    problem=$(one_line < "$told")
    [ "$begun" -eq 0 ] || complain "refused after $begun of $n_tasks jobs, which are in the queue: $problem"
    rm -rf "logs/$stamp" "lists/$stamp".*
    complain "refused: $problem"
  }
fi
[ "$n_gone" -eq 0 ]
