// Renders each case with Go's own text/template: data and cases as JSON on stdin, JSON vectors on stdout.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"text/template"
)

type vector struct {
	Name     string `json:"name"`
	Template string `json:"template"`
	// "ok", "parse" (the template is refused) or "execute" (the data does not fit it).
	Result string `json:"result"`
	Text   string `json:"text,omitempty"`
	Error  string `json:"error,omitempty"`
}

type input struct {
	Data  json.RawMessage `json:"data"`
	Cases []struct {
		Name     string `json:"name"`
		Template string `json:"template"`
	} `json:"cases"`
}

// A whole number becomes an int, as khook has it.
func native(value any) any {
	switch v := value.(type) {
	case json.Number:
		if i, err := strconv.Atoi(v.String()); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		for key, item := range v {
			v[key] = native(item)
		}
		return v
	case []any:
		for i, item := range v {
			v[i] = native(item)
		}
		return v
	}
	return value
}

func isEmpty(value any) bool {
	if value == nil {
		return true
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	}
	return v.IsZero()
}

// The few functions that are Helm's and not Go's, with Helm's meaning.
var functions = template.FuncMap{
	"default": func(fallback any, given ...any) any {
		if len(given) == 0 || isEmpty(given[0]) {
			return fallback
		}
		return given[0]
	},
	"quote": func(values ...any) string {
		out := []string{}
		for _, value := range values {
			if value != nil {
				out = append(out, fmt.Sprintf("%q", fmt.Sprint(value)))
			}
		}
		return strings.Join(out, " ")
	},
	"toJson": func(value any) (string, error) {
		var buffer bytes.Buffer
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(value)
		return strings.TrimSuffix(buffer.String(), "\n"), err
	},
	"upper": strings.ToUpper,
	"lower": strings.ToLower,
	"trim":  strings.TrimSpace,
}

func render(name, text string, data any) vector {
	out := vector{Name: name, Template: text, Result: "ok"}
	parsed, err := template.New("t").Funcs(functions).Parse(text)
	if err != nil {
		out.Result, out.Error = "parse", err.Error()
		return out
	}
	var rendered bytes.Buffer
	if err := parsed.Execute(&rendered, data); err != nil {
		out.Result, out.Error = "execute", err.Error()
		return out
	}
	out.Text = rendered.String()
	return out
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(in.Data))
	decoder.UseNumber()
	var data any
	if err := decoder.Decode(&data); err != nil {
		panic(err)
	}
	data = native(data)
	vectors := []vector{}
	for _, each := range in.Cases {
		vectors = append(vectors, render(each.Name, each.Template, data))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(map[string]any{"go": runtime.Version(), "data": in.Data, "vectors": vectors}); err != nil {
		panic(err)
	}
}
