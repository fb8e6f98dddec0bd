package mail

// dangerOfExtension tells the kind of a file from the extension of its name.
// The list is made of what runs when it is opened, of the attachments that
// Microsoft Outlook blocks ("Blocked attachments in Outlook") and Gmail blocks
// ("File types blocked in Gmail"), and of Office's own extensions for
// documents with macros. Of those two lists it leaves out what runs nothing:
// certificates (cer, crt, der), mailboxes (pst), server pages (asp, aspx), help
// and settings of systems long gone; and cab, which is an archive.
func dangerOfExtension(ext string) string {
	switch ext {
	case "exe", "com", "scr", "pif", "cpl", "dll", "sys", "ocx", "drv", "vxd", "ex_",
		"msi", "msp", "mst", "msu", "msix", "msixbundle", "appx", "appxbundle", "appinstaller",
		"application", "gadget", "xbap", "xll", "wll", "diagcab", "diagpkg", "diagcfg",
		"jar", "class", "jnlp", "apk", "dex", "app", "pkg", "deb", "rpm", "appimage":
		return DangerExecutable
	case "js", "jse", "mjs", "vbs", "vbe", "vb", "wsf", "wsh", "wsc", "ws", "sct", "bat", "cmd", "nsh",
		"ps1", "ps1xml", "ps2", "ps2xml", "psc1", "psc2", "psd1", "psm1", "psdm1", "cdxml", "pssc",
		"msh", "msh1", "msh2", "mshxml", "msh1xml", "msh2xml", "hta", "htc", "chm", "hlp", "msc", "reg", "inf", "bas",
		"wsb", "csh", "ksh", "sh", "bash", "command", "pl", "py", "pyc", "pyo", "pyw", "pyz", "pyzw", "applescript", "scpt":
		return DangerScript
	case "docm", "dotm", "xlsm", "xltm", "xlam", "xla", "xlm", "pptm", "potm", "ppam", "ppsm", "sldm",
		"vsdm", "vssm", "vstm", "vsmacros", "ade", "adp", "mda", "mdb", "mde", "mdz", "accde":
		return DangerMacro
	case "lnk", "url", "scf", "shb", "shs", "website", "webloc", "desktop", "appref-ms", "settingcontent-ms",
		"library-ms", "search-ms", "searchconnector-ms", "appcontent-ms":
		return DangerShortcut
	case "iso", "img", "vhd", "vhdx", "dmg":
		return DangerDiskImage
	}
	return ""
}

// isDocument knows the extensions that disguises borrow.
func isDocument(ext string) bool {
	switch ext {
	case "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "rtf", "odt", "ods", "odp", "txt", "csv", "xml", "htm", "html",
		"jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "svg", "mp3", "mp4", "wav", "avi", "mov", "eml", "msg", "ics", "zip", "rar", "7z":
		return true
	}
	return false
}

// isZip knows the extensions of files that are ZIP archives.
func isZip(ext string) bool {
	switch ext {
	case "zip", "zipx", "jar", "apk", "docx", "docm", "dotm", "xlsx", "xlsm", "xltm", "xlam", "xlsb", "pptx", "pptm", "odt", "ods", "odp":
		return true
	}
	return false
}
