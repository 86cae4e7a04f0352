package control

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"

	"github.com/tidegate/tidegate/configs/prefixlist"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// ipSetInput is what a put says of an IP set.
type ipSetInput struct {
	ipAddressVersion string // empty: that of the addresses
	addresses        []netip.Prefix
	given            bool // the addresses are
	description      *string
	tags             map[string]string
	kernelGate       *bool
}

// decodeIPSet reads an IP set as JSON, or with format=text its addresses as one a
// line and the rest as query parameters.
func decodeIPSet(r *request) (*ipSetInput, error) {
	if r.query.Get("format") == "text" {
		return ipSetOfText(r)
	}
	var in struct {
		IPAddressVersion string            `json:"ipAddressVersion"`
		Addresses        []string          `json:"addresses"`
		Description      *string           `json:"description"`
		Tags             map[string]string `json:"tags"`
		KernelGate       *bool             `json:"kernelGate"`
	}
	if err := decode(r.body, &in); err != nil {
		return nil, err
	}
	addresses, err := parseAddresses("addresses", in.Addresses)
	return &ipSetInput{in.IPAddressVersion, addresses, in.Addresses != nil, in.Description, in.Tags, in.KernelGate}, err
}

func ipSetOfText(r *request) (*ipSetInput, error) {
	in := &ipSetInput{given: true}
	for name, values := range r.query {
		switch v := values[0]; name {
		case "format":
		case "ipAddressVersion":
			in.ipAddressVersion = v
		case "description":
			in.description = &v
		case "kernelGate":
			on, err := strconv.ParseBool(v)
			if err != nil {
				return nil, badRequest("Invalid kernelGate: %s. It must be true or false", v)
			}
			in.kernelGate = &on
		default:
			return nil, unsupported("parameter " + name + " of PutIPSet")
		}
	}
	var err error
	if in.addresses, err = prefixlist.Read("line", bytes.NewReader(r.body), definition.MaxPrefixes); err != nil {
		return nil, badRequest("Invalid addresses: %v", err)
	}
	return in, nil
}

// version holds the addresses to the version of the set, and finds that of a new
// one.
func (in *ipSetInput) version(set *definition.IPSet) error {
	switch {
	case in.ipAddressVersion != "" && in.ipAddressVersion != definition.IPv4 && in.ipAddressVersion != definition.IPv6:
		return validation([]string{mustBeOneOf("putIPSetInput.ipAddressVersion", in.ipAddressVersion, definition.IPv4, definition.IPv6)})
	case set.IPAddressVersion == "" && in.ipAddressVersion == "" && len(in.addresses) == 0:
		return validation([]string{mustNotBeNull("putIPSetInput.ipAddressVersion")})
	case set.IPAddressVersion == "" && in.ipAddressVersion == "":
		set.IPAddressVersion = versionOf(in.addresses[0])
	case set.IPAddressVersion == "":
		set.IPAddressVersion = in.ipAddressVersion
	case in.ipAddressVersion != "" && in.ipAddressVersion != set.IPAddressVersion:
		return badRequest("IP set %s has addresses of %s. Make another one for %s", set.Name, set.IPAddressVersion, in.ipAddressVersion)
	}
	return checkVersion("addresses", in.addresses, set.IPAddressVersion)
}

func versionOf(p netip.Prefix) string {
	if p.Addr().Is4() {
		return definition.IPv4
	}
	return definition.IPv6
}

func checkVersion(member string, list []netip.Prefix, version string) error {
	if i := slices.IndexFunc(list, func(p netip.Prefix) bool { return versionOf(p) != version }); i >= 0 {
		return badRequest("Invalid addresses: %s[%d]: %s is not of %s, as the others of the set are. Make another set for it", member, i, list[i], version)
	}
	return nil
}

// Pages of addresses are larger than others: there may be a million.
const (
	defaultAddresses = 1000
	maxAddresses     = 10_000
)

// listIPSetAddresses lists the addresses of an IP set in order.
func (s *Server) listIPSetAddresses(r *request) (int, any, error) {
	set, err := ipSetNamed(s.gateway.Catalog(), r.params["ipset"])
	if err != nil {
		return 0, nil, err
	}
	limit, after, err := addressBounds(r)
	if err != nil {
		return 0, nil, err
	}
	list := List[string]{Items: []string{}}
	for p := range set.Addresses.All() {
		if after.IsValid() && p.Compare(after) <= 0 {
			continue
		}
		if len(list.Items) == limit {
			list.Position = position(list.Items[limit-1])
			break
		}
		list.Items = append(list.Items, p.String())
	}
	return 200, list, nil
}

func addressBounds(r *request) (limit int, after netip.Prefix, err error) {
	key, _, err := pageBounds(map[string][]string{"position": r.query["position"]})
	if err == nil && key != "" {
		if after, err = netip.ParsePrefix(key); err != nil {
			err = badRequest("Invalid position: %s", r.query.Get("position"))
		}
	}
	limit = defaultAddresses
	if v := r.query.Get("limit"); v != "" && err == nil {
		n, failed := strconv.Atoi(v)
		if failed != nil || n < 1 {
			return 0, after, badRequest("Invalid limit: %s. It must be a number from 1 to %d", v, maxAddresses)
		}
		limit = min(n, maxAddresses)
	}
	return limit, after, err
}
