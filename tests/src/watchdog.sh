# Runs a program in a process group of its own, and ends the whole group when standard input does:
# the test holds the other end, so the program is gone when the test is, even after `kill -9`.
# $1: the program's folder, removed at the end; `group` and `ended` in it hold the group's id and its end. $2: the signal that asks the program to end; it has
# two seconds to do so. The rest: the program and its arguments.
folder=$1
signal=$2
shift 2
exec 3<&0
setsid -- "$@" </dev/null 3<&- &
group=$!
echo "$group" >"$folder/group"
(
  cat <&3 >/dev/null
  kill -s "$signal" -- "$group"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    kill -s 0 -- "$group" || break
    [ "$signal" = KILL ] && break
    sleep 0.1
  done
  kill -s KILL -- "-$group"
) 2>/dev/null &
wait "$group"
echo "$?" >"$folder/ended"
wait
rm -rf "$folder"
