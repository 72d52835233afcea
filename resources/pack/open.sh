code='CODE'
mkdir data && cd data
awk -F'"' '/^<script type="text\/plain"/ { split($5, cut, /[<>]/); file = $4 ".b64"; print cut[2] > file; close(file) }' '../{page}'
code=$(printf %s "$code" | tr a-z A-Z | tr OIL 011 | tr -cd 0-9A-Z)
salt=$(sed -n 's/.*"salt":"\([^"]*\)".*/\1/p' '../{page}' | base64 -d | od -An -v -tx1 | tr -d ' \n')
key=$(openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt "pass:$code" -kdfopt "hexsalt:$salt" -kdfopt iter:600000 -binary PBKDF2 | od -An -v -tx1 | tr -d ' \n')
part() { base64 -d < "$1.b64" | head -c -16 | openssl enc -d -aes-256-ctr -K "$key" -iv "$(printf '%024x00000002' "$2")"; }
{ part index 4294967295; echo; } | tr '{' '\n' | sed -n 's/"name":"\([^"]*\)".*"sha256":"\([^"]*\)","first":\([0-9]*\),"chunks":\([0-9]*\)}.*/\2 \3 \4 \1/p' > files.b64
while read -r sum first chunks name; do
  mkdir -p "$(dirname "$name")"
  for n in $(seq "$first" "$((first + chunks - 1))"); do part "c$n" "$n"; done | gunzip > "$name"
  echo "$sum  $name" | sha256sum -c
done < files.b64
rm -- *.b64
