# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=versions.env
. "$here/versions.env"

say() { printf '%s\n' "== $*"; }

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# usage_error MESSAGE: a wrong command line.
usage_error() {
  printf '%s\n\n' "$1" >&2
  usage >&2
  exit 2
}

# need TOOL...: all that are missing are named at once, with where they come from.
need() {
  local tool missing=()
  for tool in "$@"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  [ ${#missing[@]} -eq 0 ] && return
  printf 'missing on this machine:\n' >&2
  for tool in "${missing[@]}"; do printf -- '- %s: %s\n' "$tool" "$(where_from "$tool")" >&2; done
  exit 1
}

where_from() {
  case $1 in
    docker) echo https://docs.docker.com/get-docker/ ;;
    kind) echo https://kind.sigs.k8s.io/docs/user/quick-start/#installation ;;
    kubectl) echo https://kubernetes.io/docs/tasks/tools/ ;;
    istioctl) echo "https://istio.io/latest/docs/setup/getting-started/#download, version $ISTIO_VERSION" ;;
    skaffold) echo https://skaffold.dev/docs/install/ ;;
    gcloud) echo https://cloud.google.com/sdk/docs/install ;;
    *) echo "your system's package manager" ;;
  esac
}

# need_cluster: kubectl reaches one; its context is said, for everything that follows is done to it.
need_cluster() {
  local context
  context=$(kubectl config current-context 2>/dev/null) ||
    fail "kubectl has no current context: run knative/cluster/create, or kubectl config use-context"
  kubectl --request-timeout=10s get --raw /readyz >/dev/null ||
    fail "the cluster of context $context does not answer"
  say "cluster: $context"
}

# try SECONDS COMMAND...: runs it again until it succeeds; its last words are shown if it does not.
try() {
  local limit=$1 deadline output
  shift
  deadline=$((SECONDS + limit))
  until output=$("$@" 2>&1); do
    [ $SECONDS -lt $deadline ] || fail "after $limit s still: $* : $output"
    sleep 3
  done
}

# node_as_we_run_it: what a container of ours has besides its name, image and command, for `node` of a function's image.
node_as_we_run_it() {
  cat <<YAML
      # Where images of a release have it, and those of development.
      env: [{name: PATH, value: "/nodejs/bin:/usr/local/bin:/usr/bin:/bin"}]
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
        readOnlyRootFilesystem: true
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
YAML
}

# taken PORT: something on this machine listens there.
taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# keep LOCAL:REMOTE NAMESPACE COMMAND...: kubectl's forward to what COMMAND prints, service/NAME or pod/NAME. It ends with
# the pod behind it; then it is begun again.
keep() {
  local ports=$1 namespace=$2 child='' target
  shift 2
  trap 'kill "$child" 2>/dev/null; exit' INT TERM
  while true; do
    if target=$("$@" 2>/dev/null); then
      kubectl -n "$namespace" port-forward --address localhost "$target" "$ports" >/dev/null 2>&1 &
      child=$!
      wait "$child" || true
    fi
    sleep 2
  done
}

# end_with_us: the forwards end with the script, and Ctrl-C is no failure of it.
end_with_us() {
  trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true' EXIT
  trap 'exit 0' INT TERM
}
