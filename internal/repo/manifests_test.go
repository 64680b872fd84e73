package repo

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const sharedExample = "examples/shared"

// handbillArgs checks that the arguments of a container are a command of handbill
// and flags that it has.
func handbillArgs(t *testing.T, where string, args []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if len(args) == 0 {
		t.Errorf("%s runs no command", where)
		return
	}
	cmd := exec.Command(self, args[0], "-help")
	cmd.Env = append(os.Environ(), beHandbill+"=1")
	help, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(help), "handbill "+args[0]) {
		t.Errorf("%s runs %s, which is no command: %v\n%s", where, args[0], err, help)
	}
	for _, arg := range args[1:] {
		name, _, _ := strings.Cut(arg, "=")
		if !regexp.MustCompile(`(?m)^\s*-?` + regexp.QuoteMeta(name) + `\b`).Match(help) {
			t.Errorf("%s: %s has no flag %s", where, args[0], name)
		}
	}
}

// variables are those that the example's configuration reads, sorted.
func variables(t *testing.T) (names []string) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(sharedExample, "main.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`env\("(\w+)"\)`).FindAllStringSubmatch(string(src), -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

// decode reads documents strictly: a field that the type has not is an error.
func decode[T any](t *testing.T, name string) (docs []T) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(sharedExample, name))
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	d.KnownFields(true)
	for {
		var doc T
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			return docs
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		docs = append(docs, doc)
	}
}

// TestSharedConfiguration checks that the example's configuration is valid.
func TestSharedConfiguration(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-chdir="+sharedExample, "validate")
	cmd.Env = append(os.Environ(), beHandbill+"=1", "HANDBILL_STATE_URL=postgres://handbill@/handbill?host=/var/run/postgresql")
	for _, name := range variables(t) {
		if name != "HANDBILL_STATE_URL" {
			cmd.Env = append(cmd.Env, name+"=1")
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

type composeService struct {
	Image, Build, User string
	Command            []string
	Environment        map[string]string
	EnvFile            []string `yaml:"env_file"`
	Volumes, Ports     []string
	ReadOnly           bool                         `yaml:"read_only"`
	DependsOn          map[string]map[string]string `yaml:"depends_on"`
	Healthcheck        struct {
		Test     []string
		Interval string
	}
	Deploy          struct{ Replicas int }
	StopGracePeriod string `yaml:"stop_grace_period"`
	Restart         string
}

// TestCompose checks the shape of the compose file.
func TestCompose(t *testing.T) {
	docs := decode[struct {
		Services map[string]composeService
		Volumes  map[string]struct{}
	}](t, "compose.yaml")
	if len(docs) != 1 {
		t.Fatalf("%d documents", len(docs))
	}
	services := docs[0].Services
	for _, name := range []string{"database", "init", "serve", "worker", "proxy"} {
		if _, ok := services[name]; !ok {
			t.Errorf("there is no service %q", name)
		}
	}
	for name, s := range services {
		for _, v := range s.Volumes {
			if from, _, _ := strings.Cut(v, ":"); !contains(docs[0].Volumes, from) {
				t.Errorf("%s uses a volume %q that is not declared", name, from)
			}
		}
		for on := range s.DependsOn {
			if !contains(services, on) {
				t.Errorf("%s depends on %q, which is not there", name, on)
			}
		}
		if s.Build == "" {
			continue
		}
		handbillArgs(t, name, s.Command)
		if s.User != "65532" || !s.ReadOnly {
			t.Errorf("%s runs as user %q, read only: %v", name, s.User, s.ReadOnly)
		}
		if url := s.Environment["HANDBILL_STATE_URL"]; len(s.Environment) != 1 || url == "" || strings.Contains(url, "password") || !slices.Equal(s.EnvFile, []string{"secrets.env"}) {
			t.Errorf("%s has the variables %v and the files %v", name, s.Environment, s.EnvFile)
		}
		if long := name != "init"; long && (s.Deploy.Replicas < 2 || s.Restart != "always" || s.StopGracePeriod == "") {
			t.Errorf("%s: %d replicas, restart %q, %q to stop", name, s.Deploy.Replicas, s.Restart, s.StopGracePeriod)
		}
	}
}

func contains[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

type probe struct {
	HTTPGet       struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds int                         `yaml:"periodSeconds"`
}

type container struct {
	Name, Image string
	Args        []string
	Ports       []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Env []struct {
		Name      string
		ValueFrom struct {
			SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	ReadinessProbe  *probe `yaml:"readinessProbe"`
	LivenessProbe   *probe `yaml:"livenessProbe"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	Resources struct{ Requests, Limits map[string]string }
}

type metadata struct {
	Name   string
	Labels map[string]string
}

type selector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

// manifest is a document of any of the kinds that the example has.
type manifest struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   metadata
	Spec       struct {
		Replicas     int
		BackoffLimit *int      `yaml:"backoffLimit"`
		MinAvailable int       `yaml:"minAvailable"`
		Selector     yaml.Node // of labels, with or without matchLabels
		Ports        []struct {
			Name       string
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
		TLS []struct {
			Hosts      []string
			SecretName string `yaml:"secretName"`
		}
		Rules []struct {
			Host string
			HTTP struct {
				Paths []struct {
					Path     string
					PathType string `yaml:"pathType"`
					Backend  struct {
						Service struct {
							Name string
							Port struct{ Name string }
						}
					}
				}
			}
		}
		Template struct {
			Metadata metadata
			Spec     struct {
				RestartPolicy                 string `yaml:"restartPolicy"`
				TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
				AutomountServiceAccountToken  *bool  `yaml:"automountServiceAccountToken"`
				SecurityContext               struct {
					RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
					RunAsUser      int                   `yaml:"runAsUser"`
					SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
				} `yaml:"securityContext"`
				Containers []container
			}
		}
	}
}

// TestKubernetes checks the shape of the manifests for Kubernetes.
func TestKubernetes(t *testing.T) {
	apis := map[string]string{"Job": "batch/v1", "Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1", "Service": "v1", "Ingress": "networking.k8s.io/v1"}
	var names []string
	for _, m := range decode[manifest](t, "kubernetes.yaml") {
		where := m.Kind + " " + m.Metadata.Name
		names = append(names, where)
		if apis[m.Kind] != m.APIVersion || m.Metadata.Name == "" {
			t.Errorf("%s is of %q, want %q", where, m.APIVersion, apis[m.Kind])
		}
		switch m.Kind {
		case "Job", "Deployment":
			pods(t, where, &m)
		case "Service", "PodDisruptionBudget":
			var s selector
			labels := map[string]string{}
			into := any(&labels)
			if m.Kind == "PodDisruptionBudget" {
				into = &s
			}
			if err := m.Spec.Selector.Decode(into); err != nil || labels["app"]+s.MatchLabels["app"] != "handbill-serve" {
				t.Errorf("%s selects %v%v, %v", where, labels, s.MatchLabels, err)
			}
		case "Ingress":
			if r := m.Spec.Rules[0]; !slices.Contains(m.Spec.TLS[0].Hosts, r.Host) || r.HTTP.Paths[0].Path != "/webhooks/" || r.HTTP.Paths[0].Backend.Service.Name != "handbill-serve" {
				t.Errorf("%s leads %+v", where, r)
			}
		}
	}
	want := []string{"Job handbill-init", "Deployment handbill-serve", "PodDisruptionBudget handbill-serve", "Service handbill-serve", "Ingress handbill-serve", "Deployment handbill-worker"}
	if !slices.Equal(names, want) {
		t.Errorf("there are %q, want %q", names, want)
	}
}

func pods(t *testing.T, where string, m *manifest) {
	t.Helper()
	spec := &m.Spec.Template.Spec
	var s selector
	if err := m.Spec.Selector.Decode(&s); m.Kind == "Deployment" && (err != nil || len(s.MatchLabels) == 0 || s.MatchLabels["app"] != m.Spec.Template.Metadata.Labels["app"]) {
		t.Errorf("%s selects %v, and its pods are %v", where, s.MatchLabels, m.Spec.Template.Metadata.Labels)
	}
	if !spec.SecurityContext.RunAsNonRoot || spec.SecurityContext.RunAsUser == 0 || spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		t.Errorf("%s may run as root, or has a token of the cluster", where)
	}
	if len(spec.Containers) != 1 {
		t.Fatalf("%s has %d containers", where, len(spec.Containers))
	}
	c := &spec.Containers[0]
	handbillArgs(t, where, c.Args)
	if sec := c.SecurityContext; sec.AllowPrivilegeEscalation == nil || *sec.AllowPrivilegeEscalation || !sec.ReadOnlyRootFilesystem || !slices.Equal(sec.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("%s: %+v", where, sec)
	}
	var env []string
	for _, e := range c.Env {
		env = append(env, e.Name)
		if e.ValueFrom.SecretKeyRef.Key != e.Name || !strings.HasPrefix(e.ValueFrom.SecretKeyRef.Name, "handbill") {
			t.Errorf("%s: %s is not of a secret", where, e.Name)
		}
	}
	slices.Sort(env)
	if want := variables(t); !slices.Equal(env, want) {
		t.Errorf("%s has the variables %v, and the configuration reads %v", where, env, want)
	}
	if m.Kind == "Job" {
		return
	}
	if m.Spec.Replicas < 2 || spec.TerminationGracePeriodSeconds < 30 {
		t.Errorf("%s: %d replicas, %d s to end", where, m.Spec.Replicas, spec.TerminationGracePeriodSeconds)
	}
	var ports []string
	for _, p := range c.Ports {
		ports = append(ports, p.Name)
		if !slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasSuffix(a, ":"+strconv.Itoa(p.ContainerPort)) }) {
			t.Errorf("%s does not listen at port %d", where, p.ContainerPort)
		}
	}
	for _, p := range []*probe{c.ReadinessProbe, c.LivenessProbe} {
		if p == nil || !slices.Contains(ports, p.HTTPGet.Port) || !slices.Contains([]string{"/readyz", "/healthz", "/metrics"}, p.HTTPGet.Path) {
			t.Errorf("%s has the probe %+v", where, p)
		}
	}
}
