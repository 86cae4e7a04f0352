module github.com/tidegate/tidegate/benchmarks

go 1.26.0
