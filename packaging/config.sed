# Makes /etc/mailtap/mailtap.yaml of the commented default: places of a service.
s|^#state_dir: /var/lib/mailtap$|state_dir: /var/lib/mailtap|
s|^    #file: /var/log/mailtap/records.json$|    file: /var/log/mailtap/records.json|
s|^    #rotate_size: 100MiB$|    rotate_size: 100MiB|
