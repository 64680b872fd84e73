#!/bin/sh
# The steps of every pipeline here, so that they can be run and tested locally.
#
#   ./pipeline.sh check              formatting, the language, the plan tests
#   ./pipeline.sh plan  ENV          plan.ENV.bin, comment.ENV.md, plan.ENV.html
#   ./pipeline.sh comment ENV        puts comment.ENV.md under the pull or merge request
#   ./pipeline.sh apply ENV          sends what plan.ENV.bin says, nothing else
#
# HANDBILL is the program; OUT is the directory for results ("."). The plan file
# contains phone numbers: keep it where only the pipeline can read it.
set -eu

handbill=${HANDBILL:-handbill}
out=${OUT:-.}
export HANDBILL_IN_AUTOMATION=1

case "${1:-} ${2:-}" in
"check ")
	"$handbill" fmt -check -recursive
	"$handbill" validate -input=false -var-file=environments/dev.vars.hcl
	"$handbill" validate -input=false -var-file=environments/prod.vars.hcl
	"$handbill" test
	;;
"plan dev" | "plan prod")
	env=$2
	status=0
	rm -f "$out/plan.$env.bin" "$out/plan.$env.html"
	"$handbill" plan -input=false -var-file="environments/$env.vars.hcl" \
		-out="$out/plan.$env.bin" -format=markdown -detailed-exitcode >"$out/comment.$env.md" || status=$?
	if ! [ -s "$out/comment.$env.md" ]; then # the files could not be read at all
		printf '<!-- handbill-plan -->\n**Plan failed.** The log of the job says why.\n' >"$out/comment.$env.md"
	fi
	case $status in
	0) echo "$env: nothing to do" ;;
	2) "$handbill" show -format=html "$out/plan.$env.bin" >"$out/plan.$env.html"
		echo "$env: there is something to send or to record" ;;
	*) exit "$status" ;; # the comment says why
	esac
	;;
"comment dev" | "comment prod")
	"$handbill" comment -env="$2" "$out/comment.$2.md"
	;;
"apply dev" | "apply prod")
	"$handbill" apply -input=false -var-file="environments/$2.vars.hcl" -lock-timeout=10m "$out/plan.$2.bin"
	;;
*)
	sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
	exit 64
	;;
esac
