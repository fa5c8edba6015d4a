# SPDX-License-Identifier: Apache-2.0
# What shares its key with held-out data, or is not of the training part, stays as it is.
printf 'patient,text,split\np1,has 1,train\np2,has 2,train\np3,has 3,val\np1,had 4,train\n' >in.csv
printf 'patient,other\np2,x\np9,y\n' >val.csv
sft-augment --columns text --numbers --rate 1 --held-out val.csv --group patient --stats s.json in.csv | cut -d, -f1,3-
grep -o '"copies":[0-9]*,"unch.*' s.json
sft-augment --columns text --numbers --rate 1 --only split=train in.csv | cut -d, -f1,3-
sft-augment --columns text --numbers --rate 1 --only split=train,test --held-out val.csv --group patient --only-new in.csv | cut -d, -f1,3-
